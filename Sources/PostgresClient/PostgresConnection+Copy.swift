internal import CLibpq

extension PostgresConnection {
  /// Sends rows with `COPY … FROM STDIN (FORMAT binary)`.
  ///
  /// If `write` throws, the server keeps none of the rows, and the error comes out.
  ///
  /// - Parameters:
  ///   - sql: The COPY statement.
  ///   - columns: How many columns it names; every row must have as many values.
  ///   - write: Writes the rows.
  /// - Returns: The number of rows that the server stored.
  /// - Throws: What `write` throws; ``PostgresError``.
  @discardableResult
  public func copyIn(
    _ sql: String, columns: Int, write: (inout CopyBinaryWriter) throws -> Void
  ) throws -> Int {
    let handle = try beginCopy(sql, expecting: PGRES_COPY_IN, columns: columns)
    isCopying = true
    defer { isCopying = false }
    var writer = CopyBinaryWriter(handle: handle, columns: columns)
    do {
      try write(&writer)
      try writer.finish()
    } catch {
      PQputCopyEnd(handle.pointer, "the client gave up")
      let answer = handle.drain()
      // The answer to giving up says nothing new; that of a COPY which the server had ended does.
      if error is PostgresError, let answer, answer.code != .queryCanceled { throw answer }
      throw error
    }
    guard PQputCopyEnd(handle.pointer, nil) == 1 else {
      throw handle.drain() ?? PostgresError(result: nil, handle: handle)
    }
    return try endCopy(handle)
  }

  /// Reads rows with `COPY … TO STDOUT (FORMAT binary)`, one at a time, without keeping them.
  ///
  /// - Parameters:
  ///   - sql: The COPY statement.
  ///   - read: Called for every row in order; the row is valid during the call only. If it throws,
  ///     the remaining rows are read and dropped, and the error comes out.
  /// - Returns: The number of rows.
  /// - Throws: What `read` throws; ``PostgresError``.
  @discardableResult
  public func copyOut(
    _ sql: String, read: (borrowing CopyBinaryRow) throws -> Void
  ) throws -> Int {
    let handle = try beginCopy(sql, expecting: PGRES_COPY_OUT, columns: nil)
    isCopying = true
    defer { isCopying = false }
    var reader = CopyBinaryReader()
    var failure: (any Error)?
    while true {
      var message: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(handle.pointer, &message, 0)
      guard length > 0, let message else {
        if length == -2 { throw handle.drain() ?? PostgresError(result: nil, handle: handle) }
        break
      }
      defer { PQfreemem(message) }
      guard failure == nil else { continue }
      do {
        try reader.consume(UnsafeRawBufferPointer(start: message, count: Int(length)), read)
      } catch {
        failure = error
      }
    }
    let answered = Result { try endCopy(handle) }
    if let failure { throw failure }
    _ = try answered.get()
    return reader.rows
  }

  /// Sends the statement, and makes sure that the server expects the binary format.
  private func beginCopy(
    _ sql: String, expecting status: ExecStatusType, columns: Int?
  ) throws -> ConnectionHandle {
    let handle = try liveHandle()
    let result = PQexec(handle.pointer, sql)
    guard PQresultStatus(result) == status else {
      _ = try rows(of: result, handle: handle)
      throw PostgresError(.misuse, "the statement is not the COPY that was expected")
    }
    defer { PQclear(result) }
    let actual = Int(PQnfields(result))
    let complaint: String? =
      if PQbinaryTuples(result) != 1 {
        "the COPY is not in the binary format; write (FORMAT binary)"
      } else if let columns, actual != columns {
        "the COPY names \(actual) columns where \(columns) were announced"
      } else { nil }
    guard let complaint else { return handle }
    // The only way out of a COPY to STDOUT is to read all of it; a misuse may cost a connection.
    close()
    throw PostgresError(.misuse, complaint)
  }

  /// Reads the server's verdict and the number of rows.
  private func endCopy(_ handle: ConnectionHandle) throws -> Int {
    guard let result = PQgetResult(handle.pointer) else {
      throw PostgresError(result: nil, handle: handle)
    }
    let answered = Result { try rows(of: result, handle: handle).affectedRows }
    let later = handle.drain()
    let count = try answered.get()
    if let later { throw later }
    return count
  }
}
