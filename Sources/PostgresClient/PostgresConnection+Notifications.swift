internal import CLibpq
internal import Glibc

/// A message that another session sent with `NOTIFY`.
public struct PostgresNotification: Sendable, Hashable {
  /// The channel that it came through.
  public let channel: String
  /// Its text; empty where none was given.
  public let payload: String
}

extension PostgresConnection {
  /// Asks for the notifications of a channel, from the end of this call on.
  ///
  /// The session listens until it ends, so give such a connection back to no pool.
  ///
  /// - Throws: ``PostgresError``.
  public func listen(to channel: String) throws {
    try query("LISTEN \"\(channel.replacing("\"", with: "\"\""))\"")
  }

  /// Waits for notifications; returns at once where some have come already.
  ///
  /// Blocks the connection's own thread, no other.
  ///
  /// - Parameter limit: the longest wait.
  /// - Returns: what has come, in order; empty where nothing did.
  /// - Throws: ``PostgresError`` with ``PostgresError/isConnectionLost`` where the server is gone.
  public func notifications(waiting limit: Duration) throws -> [PostgresNotification] {
    let handle = try liveHandle()
    let ready = received(handle)
    if !ready.isEmpty { return ready }
    var descriptor = pollfd(fd: PQsocket(handle.pointer), events: Int16(POLLIN), revents: 0)
    _ = poll(&descriptor, 1, Int32(max(0, min(limit / .milliseconds(1), 3_600_000)).rounded(.up)))
    guard handle.probe() else {
      var error = PostgresError(
        .connectionFailure,
        "the connection to the database was lost: "
          + PostgresError.firstLine(of: handle.failureMessage))
      error.isConnectionLost = true
      throw error
    }
    return received(handle)
  }

  private func received(_ handle: ConnectionHandle) -> [PostgresNotification] {
    var all: [PostgresNotification] = []
    while let message = PQnotifies(handle.pointer) {
      all.append(
        PostgresNotification(
          channel: String(cString: message.pointee.relname),
          payload: String(cString: message.pointee.extra)))
      PQfreemem(message)
    }
    return all
  }
}
