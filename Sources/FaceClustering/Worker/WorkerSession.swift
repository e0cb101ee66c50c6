internal import PostgresClient
internal import Store

/// A connection on which a worker hears of new work.
struct WorkerSession: Sendable {
  private let listener: PostgresConnection

  /// Connects, listens, and gives back what an earlier session of this worker still holds.
  static func open(pool: PostgresPool, owner: String) async throws -> WorkerSession {
    let listener = try await pool.connectionOfItsOwn()
    do {
      try await listener.listen(to: JobQueue.channel)
      try await pool.withTransaction(maxAttempts: 1) {
        try JobQueue().giveBack(of: owner, on: $0)
      }
    } catch {
      await listener.close()
      throw error
    }
    return WorkerSession(listener: listener)
  }

  /// Waits until work is announced, the time is over, or the task is cancelled.
  ///
  /// - Throws: `PostgresError` where the server is gone.
  func wait(_ limit: Duration) async throws {
    let end = ContinuousClock.now + limit
    while !Task.isCancelled {
      let left = end - .now
      if left <= .zero { return }
      // Short waits, so that a worker that is to stop does so at once.
      let heard = try await listener.notifications(waiting: min(left, .milliseconds(250)))
      if !heard.isEmpty { return }
    }
  }

  func close() async { await listener.close() }
}
