public import Logging

/// Connections to one database, lent one at a time and kept for the next.
///
/// A connection that broke, or came back with a transaction open, is thrown away; a new one is made
/// when it is needed. Whoever changes the session (`SET`, session locks, temporary tables) puts
/// it back as it was before giving the connection back.
public actor PostgresPool {
  /// Where the connections lead.
  public nonisolated let configuration: PostgresConfiguration
  nonisolated let logger: Logger
  private nonisolated let maximumConnections: Int
  private var idle: [PostgresConnection] = []
  private var lent = 0
  private var isClosed = false
  private var waiters: [Waiter] = []
  private var nextTicket = 0

  private struct Waiter {
    let ticket: Int
    let continuation: CheckedContinuation<Void, any Error>
  }

  /// Makes a pool; connections are made when they are needed.
  ///
  /// - Parameters:
  ///   - configuration: Where to connect.
  ///   - maximumConnections: The most that are lent at once; further borrowers wait their turn.
  ///   - logger: Receives notices of the server, and retries.
  public init(
    _ configuration: PostgresConfiguration, maximumConnections: Int = 4, logger: Logger
  ) {
    self.configuration = configuration
    self.maximumConnections = max(1, maximumConnections)
    self.logger = logger
  }

  /// Lends a connection for as long as `body` runs.
  ///
  /// Nothing is tried again: see ``withTransaction(_:retry:_:)``. Where the task is cancelled, the statement
  /// that runs is stopped, and none begins after it; what must be done all the same needs a task of its own.
  ///
  /// - Throws: What `body` throws; ``PostgresError`` when no connection can be made;
  ///   `CancellationError` when the task is cancelled while it waits or while a statement runs.
  @discardableResult
  public nonisolated func withConnection<T: Sendable>(
    _ body: (PostgresConnection) async throws -> T
  ) async throws -> T {
    let connection = try await borrow()
    do {
      let value = try await connection.lent(body)
      await giveBack(connection)
      return value
    } catch {
      await giveBack(connection)
      throw error
    }
  }

  /// Makes a connection that the pool does not count and that its caller closes, to listen on, say.
  ///
  /// - Throws: ``PostgresError``.
  public nonisolated func connectionOfItsOwn() async throws -> PostgresConnection {
    try await PostgresConnection.connect(configuration, logger: logger)
  }

  /// Closes the connections.
  ///
  /// Those that are lent are closed when they come back.
  public func close() async {
    isClosed = true
    let (closing, refused) = (idle, waiters)
    idle = []
    waiters = []
    for waiter in refused { waiter.continuation.resume(throwing: Self.closedError) }
    for connection in closing { await connection.close() }
  }

  private static var closedError: PostgresError {
    PostgresError(.misuse, "the pool of connections is closed")
  }

  private func borrow() async throws -> PostgresConnection {
    try await takeSlot()
    // An idle connection may have died since; the probe costs a system call, no round trip.
    while let connection = idle.popLast() {
      if await connection.isReady { return connection }
      await connection.close()
    }
    do {
      return try await PostgresConnection.connect(configuration, logger: logger)
    } catch {
      freeSlot()
      throw error
    }
  }

  private func giveBack(_ connection: PostgresConnection) async {
    let isReady = await connection.isReady
    if isReady, !isClosed {
      idle.append(connection)
    } else {
      await connection.close()
    }
    freeSlot()
  }

  /// Waits until fewer than the most connections are lent.
  ///
  /// First come, first served.
  private func takeSlot() async throws {
    guard !isClosed else { throw Self.closedError }
    try Task.checkCancellation()
    if lent < maximumConnections {
      lent += 1
      return
    }
    let ticket = nextTicket
    nextTicket += 1
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Void, any Error>) in
        // The handler may have run before there was anything to cancel.
        if Task.isCancelled {
          continuation.resume(throwing: CancellationError())
        } else {
          waiters.append(Waiter(ticket: ticket, continuation: continuation))
        }
      }
    } onCancel: {
      Task { await self.cancelWaiter(ticket) }
    }
  }

  /// Passes a slot on to the next in line, or frees it.
  private func freeSlot() {
    if waiters.isEmpty {
      lent -= 1
    } else {
      waiters.removeFirst().continuation.resume()
    }
  }

  private func cancelWaiter(_ ticket: Int) {
    guard let place = waiters.firstIndex(where: { $0.ticket == ticket }) else { return }
    waiters.remove(at: place).continuation.resume(throwing: CancellationError())
  }
}
