/// Why something that a human asked for was refused.
public enum HumanActionError: Error, Sendable, Equatable, CustomStringConvertible {
  case forbidden(externalID: String, cluster: Int64)
  case differentFace(externalID: String, other: String, cluster: Int64)
  case differentPersons(externalID: String, other: String)
  case retired(cluster: Int64)
  case noCluster(person: Int64)
  case mergedAway(person: Int64, into: Int64)
  case unusableName(reason: String)
  /// Persons that would lose their names to a person without one, and those names, in order of id.
  case severalNames(person: Int64, others: [Int64], names: [String])
  case noEmbedding(externalID: String)
  case unusableEmbedding(externalID: String)
  case notAssigned(externalID: String)
  case notAMember(externalID: String, cluster: Int64)
  case answered(candidate: Int64, status: String, by: String?)
  case cannotSplit(cluster: Int64, reason: String)
  case oneCluster(person: Int64)
  case samePerson(Int64)
  case differentNames(
    candidate: Int64, person: Int64, name: String, other: Int64, otherName: String)
  case nothingToUndo(collection: String)
  case alreadyUndone(action: Int64, by: Int64)
  case cannotUndo(action: Int64, reason: String)

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .forbidden(let externalID, let cluster):
      "detection “\(externalID)” was said not to belong to cluster \(cluster) or its person; "
        + "repeat with --anyway to take that back"
    case .differentFace(let externalID, let other, let cluster):
      "detection “\(externalID)” was said to be another person than “\(other)”, which is in "
        + "cluster \(cluster); repeat with --anyway to take that back"
    case .differentPersons(let externalID, let other):
      "detections “\(externalID)” and “\(other)” were said to be different people; "
        + "`photodb person merge --anyway` takes that back"
    case .retired(let cluster):
      "cluster \(cluster) was retired by a later run; choose one that lives"
    case .noCluster(let person):
      "person \(person) has no cluster that lives; `photodb person list` shows those that have one"
    case .mergedAway(let person, let into):
      "person \(person) was merged into person \(into) and has no cluster of its own any more; "
        + "use person \(into)"
    case .unusableName(let reason): "the name \(reason)"
    case .severalNames(let person, let others, let names):
      "person \(person) has no name, and "
        + zip(others, names).map { "person \($0) is “\($1)”" }.joined(separator: ", ")
        + "; merge them into the one whose name stays, or name person \(person) first"
    case .noEmbedding(let externalID):
      "detection “\(externalID)” has no embedding, so it cannot join a cluster"
    case .unusableEmbedding(let externalID):
      "the embedding of detection “\(externalID)” is unusable, so it cannot be the first face of a "
        + "person; put it into a cluster that exists"
    case .notAssigned(let externalID):
      "detection “\(externalID)” is in no cluster; name what it is not with --cluster or --person"
    case .notAMember(let externalID, let cluster):
      "detection “\(externalID)” is no member of cluster \(cluster)"
    case .answered(let candidate, let status, let by):
      "candidate \(candidate) is not open: it was \(status)\(by.map { " by \($0)" } ?? "")"
    case .cannotSplit(let cluster, let reason): "cluster \(cluster) cannot be split: \(reason)"
    case .oneCluster(let person):
      "person \(person) has only one cluster; name it with --cluster to split it along the hierarchy"
    case .samePerson(let person): "person \(person) cannot be merged into itself"
    case .differentNames(let candidate, let person, let name, let other, let otherName):
      "candidate \(candidate) cannot be accepted: person \(person) is “\(name)” and person \(other) is "
        + "“\(otherName)”; `photodb person merge \(other) \(person)` keeps the second name, "
        + "`photodb candidates reject \(candidate)` both"
    case .nothingToUndo(let collection):
      "collection “\(collection)” has nothing to undo"
    case .alreadyUndone(let action, let by):
      "action \(action) was taken back already, by action \(by); `photodb undo \(by)` does it again"
    case .cannotUndo(let action, let reason):
      "action \(action) cannot be taken back: \(reason); `photodb undo --list` shows the others, and "
        + "`photodb undo ID` takes one of them back"
    }
  }
}
