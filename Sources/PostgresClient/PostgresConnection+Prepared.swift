internal import CLibpq

/// A statement that the server has parsed, under its name there.
struct PreparedStatements {
  /// Texts differ in nothing but these when types of parameters differ, as NULL does.
  struct Key: Hashable {
    let sql: String
    let types: [UInt32]
  }

  /// More than any program of ours has; a caller who makes texts up as it goes stays without, here and below.
  private static let most = 256

  private var names: [Key: String] = [:]
  private var made = 0
  private var singled: [Singled: (sql: String, numbers: [Int])] = [:]

  /// A text, and the numbers of its parameters that are lists of one.
  private struct Singled: Hashable {
    let sql: String
    let numbers: [Int]
  }

  /// The name of a statement, and whether the server has to be told of it first; nil where there are
  /// too many.
  mutating func name(of key: Key) -> (name: String, isNew: Bool)? {
    if let known = names[key] { return (known, false) }
    guard names.count < Self.most else { return nil }
    made += 1
    let name = "photodb_\(made)"
    names[key] = name
    return (name, true)
  }

  /// Forgets a statement that the server refused.
  mutating func forget(_ key: Key) { names[key] = nil }

  /// The same statement with lists of one asked for by their only value.
  ///
  /// The server takes a list that it does not know for ten values. A plan for ten costs more than one for
  /// the single value that comes, so it would plan the statement anew each time: longer than it then runs.
  mutating func withoutListsOfOne(
    _ sql: String, _ parameters: [PostgresValue]
  ) -> (sql: String, parameters: [PostgresValue]) {
    let ofOne = parameters.indices.filter { parameters[$0].onlyElement != nil }.map { $0 + 1 }
    if ofOne.isEmpty { return (sql, parameters) }
    let key = Singled(sql: sql, numbers: ofOne)
    let known = singled[key]
    let (text, numbers) = known ?? Self.single(ofOne, in: sql)
    if known == nil, singled.count < Self.most { singled[key] = (text, numbers) }
    var parameters = parameters
    for number in numbers { parameters[number - 1] = parameters[number - 1].onlyElement ?? .null }
    return (text, parameters)
  }

  /// A statement in which those of these parameters are values that it names in `= ANY($n)` and nowhere
  /// else, and their numbers.
  private static func single(_ numbers: [Int], in sql: String) -> (sql: String, numbers: [Int]) {
    let named = numbers.filter { number in
      let uses = sql.ranges(of: "$\(number)").filter { use in
        use.upperBound == sql.endIndex || !sql[use.upperBound].isNumber
      }
      return uses.count == 1 && sql.contains("= ANY($\(number))")
    }
    return (named.reduce(sql) { $0.replacing("= ANY($\($1))", with: "= $\($1)") }, named)
  }
}

extension PostgresConnection {
  /// Runs a statement that comes again and again with few values: the server parses it once, and after a
  /// few times plans it no more.
  ///
  /// A list of one id or text, named once and as `= ANY($n)`, is sent as its only value (`= $n`): the server
  /// would plan a list anew each time.
  ///
  /// For what is looked up by its key. A plan that fits every value is a bad one where some values stand
  /// for a row and others for a table; many values, such as arrays of thousands of ids, are planned for
  /// what they are, as by ``query(_:_:)``.
  ///
  /// - Throws: ``PostgresError``.
  @discardableResult
  public func queryPrepared(
    _ sql: String, _ parameters: [PostgresValue] = []
  ) throws -> PostgresRows {
    let handle = try liveHandle()
    let (sql, parameters) = prepared.withoutListsOfOne(sql, parameters)
    let encoded = try EncodedParameters(parameters)
    let key = PreparedStatements.Key(sql: sql, types: encoded.types)
    guard encoded.byteCount <= Self.fewBytes, let (name, isNew) = prepared.name(of: key) else {
      return try query(sql, parameters)
    }
    var isParsed = !isNew
    do {
      if isNew {
        _ = try rows(
          of: PQprepare(handle.pointer, name, sql, Int32(parameters.count), encoded.types),
          handle: handle)
        isParsed = true
      }
      let result = encoded.withPointers { values, lengths in
        PQexecPrepared(
          handle.pointer, name, Int32(parameters.count), values, lengths, encoded.formats, 1)
      }
      return try rows(of: result, handle: handle)
    } catch let error as PostgresError {
      let isShared = Self.saysSessionIsShared.contains(error.code)
      if !isParsed || isShared { prepared.forget(key) }
      guard isShared else { throw error }
      throw PostgresError(
        error.code,
        """
        another program shares this connection's session (\(error.message)); a pooler before the server \
        must keep a session for each connection, as PgBouncer does with pool_mode = session
        """)
    }
  }

  /// A name that is taken, and one that is gone.
  private static let saysSessionIsShared: Set<PostgresError.Code> = ["42P05", "26000"]

  /// Some dozens of ids and a vector.
  private static let fewBytes = 16_384
}
