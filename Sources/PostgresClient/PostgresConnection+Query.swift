internal import CLibpq

extension PostgresConnection {
  /// Runs one statement with parameters `$1`, `$2`, … and returns all its rows.
  ///
  /// Values travel in the binary format, so floats keep every bit.
  ///
  /// - Parameters:
  ///   - sql: One statement.
  ///   - parameters: At most 65,535 values. Those that are NULL take the type the statement needs.
  /// - Returns: The rows and the number of rows affected.
  /// - Throws: ``PostgresError``.
  /// - Complexity: The result is held in memory as a whole; use
  ///   ``copyOut(_:read:)`` for a large one.
  @discardableResult
  public func query(_ sql: String, _ parameters: [PostgresValue] = []) throws -> PostgresRows {
    let handle = try liveHandle()
    let encoded = try EncodedParameters(parameters)
    let result = encoded.withPointers { values, lengths in
      PQexecParams(
        handle.pointer, sql, Int32(parameters.count), encoded.types, values, lengths,
        encoded.formats, 1)
    }
    return try rows(of: result, handle: handle)
  }

  /// Runs several statements without parameters, as one text.
  ///
  /// Outside a transaction they are one transaction of their own.
  ///
  /// - Parameter sql: Statements separated by semicolons.
  /// - Throws: ``PostgresError`` of the first that fails; its `position` counts in the whole text.
  public func execute(script sql: String) throws {
    let handle = try liveHandle()
    _ = try rows(of: PQexec(handle.pointer, sql), handle: handle)
  }

  /// Takes a result over, or throws what it says.
  func rows(of result: OpaquePointer?, handle: ConnectionHandle) throws -> PostgresRows {
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
      guard let result else { throw PostgresError(result: nil, handle: handle) }
      return PostgresRows(storage: ResultStorage(result: result))
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      PQclear(result)
      close()
      throw PostgresError(
        .misuse, "COPY needs copyIn or copyOut; the connection was closed")
    default:
      defer { PQclear(result) }
      throw PostgresError(result: result, handle: handle)
    }
  }
}
