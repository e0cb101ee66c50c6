internal import Glibc

/// A lock between processes, held while one of them starts or stops the server.
///
/// The system frees it when its holder dies, whatever the way.
struct ServerLock: ~Copyable {
  private let descriptor: Int32

  /// Waits for the lock.
  ///
  /// - Throws: ``PrivateServerError/busy(lock:seconds:)`` after `seconds`; `CancellationError`.
  static func acquire(_ path: String, seconds: Int = 300) async throws -> ServerLock {
    // Not inherited: the server would hold the lock as long as it runs.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Files.failure("open", path) }
    let lock = ServerLock(descriptor: descriptor)
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(seconds)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw Files.failure("lock", path) }
      guard clock.now < deadline else {
        throw PrivateServerError.busy(lock: path, seconds: seconds)
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    return lock
  }

  deinit {
    close(descriptor)
  }
}
