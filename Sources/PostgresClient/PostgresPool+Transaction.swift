internal import Logging

extension PostgresPool {
  /// Runs a transaction, and runs it again from its beginning when PostgreSQL asks for that or the
  /// connection broke before the commit began.
  ///
  /// The body may run several times and must therefore change nothing but the database.
  ///
  /// - Parameters:
  ///   - mode: What the transaction sees of others.
  ///   - retry: When and how often to try again.
  ///   - body: The work, isolated to the connection.
  /// - Throws: What `body` throws; ``PostgresError`` of the last attempt. A connection lost during the
  ///   commit is not tried again: ``PostgresError/Code/transactionResolutionUnknown``.
  @discardableResult
  public nonisolated func withTransaction<T: Sendable>(
    _ mode: TransactionMode = .readCommitted, retry: PostgresRetry = PostgresRetry(),
    _ body: @Sendable (isolated PostgresConnection) throws -> T
  ) async throws -> T {
    var generator = SystemRandomNumberGenerator()
    var attempt = 1
    while true {
      do {
        return try await withConnection { try await $0.transaction(mode, body) }
      } catch {
        guard let pause = retry.pause(afterAttempt: attempt, error: error, using: &generator)
        else { throw error }
        // A server that ends sessions in the middle of long work would do so each time, unseen.
        let isCutOff = (error as? PostgresError)?.isCutOff ?? false
        logger.log(
          level: isCutOff ? .warning : .debug,
          """
          attempt \(attempt) of \(retry.maximumAttempts) failed, trying again after \(pause): \
          \(error)
          """)
        try await Task.sleep(for: pause)
        attempt += 1
      }
    }
  }

  /// The same, with the number of attempts alone.
  @discardableResult
  public nonisolated func withTransaction<T: Sendable>(
    _ mode: TransactionMode = .readCommitted, maxAttempts: Int,
    _ body: @Sendable (isolated PostgresConnection) throws -> T
  ) async throws -> T {
    try await withTransaction(mode, retry: PostgresRetry(maximumAttempts: maxAttempts), body)
  }

  /// Runs one statement on a connection of the pool.
  ///
  /// It is not tried again.
  ///
  /// - Throws: ``PostgresError``.
  @discardableResult
  public nonisolated func query(
    _ sql: String, _ parameters: [PostgresValue] = []
  ) async throws -> PostgresRows {
    try await withConnection { try await $0.query(sql, parameters) }
  }
}
