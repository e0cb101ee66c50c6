internal import PostgresClient
internal import Store

extension PostgresPool {
  /// Runs `work`; where the server refuses it for want of a right, names that right.
  ///
  /// - Throws: `StoreError.missingRights`; else what `work` throws.
  nonisolated func explainingRights<Value: Sendable>(
    _ work: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await work()
    } catch let error as PostgresError where error.code == .insufficientPrivilege {
      throw try await withTransaction { try DatabaseChecks.explain(error, on: $0) }
    }
  }

  /// A transaction; where the server refuses it for want of a right, names that right.
  ///
  /// - Throws: `StoreError.missingRights`; else what ``withTransaction(_:retry:_:)`` throws.
  nonisolated func explainedTransaction<Value: Sendable>(
    _ mode: TransactionMode = .readCommitted,
    _ body: @Sendable (isolated PostgresConnection) throws -> Value
  ) async throws -> Value {
    try await explainingRights { try await withTransaction(mode, body) }
  }
}
