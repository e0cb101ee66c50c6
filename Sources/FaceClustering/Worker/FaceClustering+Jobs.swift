internal import PostgresClient
public import Store

extension FaceClustering {
  /// The work of this collection that waits, runs, or was given up; the oldest first.
  ///
  /// - Throws: `PostgresError`.
  public func jobs() async throws -> [JobRecord] {
    let id = collection.id
    return try await pool.explainedTransaction { try JobQueue().list(collection: id, on: $0) }
  }

  /// Puts jobs that were given up into the queue again.
  ///
  /// - Returns: how many.
  /// - Throws: `PostgresError`.
  public func retryDeadJobs() async throws -> Int {
    let collection = collection
    return try await pool.explainedTransaction { try JobQueue().retryDead(collection, on: $0) }
  }
}
