/// Why the store refused something.
public enum StoreError: Error, Equatable, CustomStringConvertible {
  case unknownCollection(name: String, known: [String])
  case unknownRun(Int64, collection: String)
  case unknownDetection(String, collection: String)
  case unknownCluster(Int64, collection: String)
  case unknownPerson(Int64, collection: String)
  case unknownCandidate(Int64, collection: String)
  case unknownAction(Int64, collection: String)
  case unusableName(reason: String)
  case unusableModel(reason: String)
  case dimensionOutOfRange(Int, limits: ClosedRange<Int>)
  case collectionMismatch(name: String, what: String, stored: String, given: String)
  case damaged(table: String, id: Int64, what: String)
  case wrongEncoding(database: String, encoding: String)
  case missingRights(role: String, rights: String, reason: String)

  /// One line that says what is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .unknownCollection(let name, let known):
      "there is no collection “\(name)”; "
        + (known.isEmpty
          ? "none exists yet: `photodb import` makes one"
          : "known: \(Self.firstTen(of: known))")
    case .unknownRun(let id, let collection):
      "collection “\(collection)” has no run \(id); `photodb runs list` shows them"
    case .unknownDetection(let id, let collection):
      "collection “\(collection)” has no detection with the external id “\(id)”"
    case .unknownCluster(let id, let collection):
      "collection “\(collection)” has no cluster \(id); `photodb export assignments` names that of every face"
    case .unknownPerson(let id, let collection):
      "collection “\(collection)” has no person \(id); `photodb person list` shows them"
    case .unknownCandidate(let id, let collection):
      "collection “\(collection)” has no candidate \(id); `photodb candidates list` shows them"
    case .unknownAction(let id, let collection):
      "collection “\(collection)” has no action \(id); `photodb undo --list` shows them"
    case .unusableName(let reason):
      "the name of the new collection \(reason); choose another one"
    case .unusableModel(let reason):
      "the name of the embedding model \(reason); give another one, or none"
    case .dimensionOutOfRange(let dimension, let limits):
      "embeddings of dimension \(dimension) cannot be stored: the limits are "
        + "\(limits.lowerBound) and \(limits.upperBound)"
    case .collectionMismatch(let name, let what, let stored, let given):
      "collection “\(name)” holds \(what) \(stored), but \(given) was given"
    case .damaged(let table, let id, let what):
      "row \(id) of table \(table) is damaged: \(what)"
    case .wrongEncoding(let database, let encoding):
      "database “\(database)” has the encoding \(encoding); photodb needs UTF8: make one with "
        + "`CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
    case .missingRights(let role, let rights, let reason):
      "role “\(role)” lacks \(rights) (\(reason)); the owner can GRANT it"
    }
  }

  /// Names in one line: a server may hold a collection for every user of an application.
  private static func firstTen(of names: [String]) -> String {
    let first = names.prefix(10).joined(separator: ", ")
    return names.count > 10 ? "\(first) and \(names.count - 10) more" : first
  }
}
