internal import CLibpq
internal import Logging

extension PostgresConnection {
  /// Runs `body` in a transaction: all of it happens or nothing.
  ///
  /// The body is synchronous and isolated to the connection, so no statement of another task can
  /// slip in. It commits when the body returns and rolls back when it throws.
  ///
  /// - Parameters:
  ///   - mode: What the transaction sees of others.
  ///   - body: The work. Transactions do not nest; see ``savepoint(_:)``.
  /// - Throws: What the body throws; ``PostgresError``. When the connection breaks during the commit:
  ///   ``PostgresError/Code/transactionResolutionUnknown``, for the server may have committed. Where the
  ///   server had ended the session before, nothing happened, and it is a lost connection like any other.
  @discardableResult
  public func transaction<T: Sendable>(
    _ mode: TransactionMode = .readCommitted,
    _ body: @Sendable (isolated PostgresConnection) throws -> T
  ) throws -> T {
    guard !isInTransaction else {
      throw PostgresError(.misuse, "transactions do not nest; use a savepoint")
    }
    try command(mode.begin)
    isInTransaction = true
    defer { isInTransaction = false }
    let value: T
    do {
      value = try body(self)
    } catch {
      rollBack()
      throw error
    }
    try commit()
    return value
  }

  /// Runs `body` so that its changes are undone if it throws, while the transaction around it
  /// goes on.
  ///
  /// - Throws: What the body throws; ``PostgresError`` outside a transaction.
  @discardableResult
  public func savepoint<T: Sendable>(
    _ body: (isolated PostgresConnection) throws -> T
  ) throws -> T {
    try command("SAVEPOINT photodb")
    let value: T
    do {
      value = try body(self)
    } catch {
      try command("ROLLBACK TO SAVEPOINT photodb")
      try command("RELEASE SAVEPOINT photodb")
      throw error
    }
    try command("RELEASE SAVEPOINT photodb")
    return value
  }

  private func commit() throws {
    let handle = try openHandle()
    // A session that ended before it heard of the commit has rolled the transaction back.
    if let ending = handle.ending() { throw ending }
    let tag: String
    do {
      tag = try verdict(onCommit: handle)
    } catch let error as PostgresError where error.isConnectionLost {
      // Only a server that waits for a statement gives this reason: it had not read the commit. Every other
      // may come after the commit and before its answer.
      throw error.code == .idleInTransactionTimeout ? error : .commitUnknown(error)
    }
    // PostgreSQL answers ROLLBACK to the COMMIT of a transaction in which a statement had failed.
    guard tag == "COMMIT" else {
      throw PostgresError(
        .inFailedTransaction,
        "the transaction was rolled back because one of its statements had failed")
    }
  }

  /// Sends COMMIT and returns the command tag.
  ///
  /// `PQexec` would answer with the last of several errors, which says that the connection closed; the
  /// first says why.
  private func verdict(onCommit handle: ConnectionHandle) throws -> String {
    guard PQsendQuery(handle.pointer, "COMMIT") == 1 else {
      throw PostgresError(result: nil, handle: handle)
    }
    // The tag comes after the commit: a session that ends right behind it takes nothing back.
    defer { _ = handle.drain() }
    return try rows(of: PQgetResult(handle.pointer), handle: handle).commandTag
  }

  /// Rolls back after an error that matters more than a failure of the rollback; a connection that
  /// cannot even roll back is closed.
  private func rollBack() {
    ceaseStopping()
    do {
      try command("ROLLBACK")
    } catch {
      log(.debug, "rollback failed, the connection is closed: \(error)")
      close()
    }
  }

  /// Runs a statement of ours, whoever was told to stop, and returns its command tag.
  @discardableResult
  private func command(_ sql: String) throws -> String {
    let handle = try openHandle()
    return try rows(of: PQexec(handle.pointer, sql), handle: handle).commandTag
  }
}
