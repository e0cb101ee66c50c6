internal import CLibpq
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Cancels the statement of a connection from any thread.
///
/// `PQcancel` is made for this: it opens a connection of its own and may be called at any time,
/// as long as the object is not freed meanwhile, which the lock prevents.
final class Canceller: Sendable {
  private struct Target: @unchecked Sendable {
    // A PGcancel is immutable after it was made; the mutex guards its life.
    let pointer: OpaquePointer

    /// The reason of a failure has no reader: the statement then simply runs to its end.
    func cancel() {
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        _ = PQcancel(pointer, buffer.baseAddress, Int32(buffer.count))
      }
    }
  }

  private struct State {
    var target: Target?
    /// Who has the connection now; 0 for nobody.
    var loan: UInt64 = 0
    var loans: UInt64 = 0
    /// Whoever has it was told to stop: no further statement begins.
    var isStopping = false
  }

  private let state = Mutex(State())

  deinit {
    forget()
  }

  func remember(_ handle: ConnectionHandle) {
    guard let pointer = PQgetCancel(handle.pointer) else { return }
    let fresh = Target(pointer: pointer)
    state.withLock { $0.target = fresh }
  }

  func forget() {
    state.withLock { state in
      if let target = state.target { PQfreeCancel(target.pointer) }
      state.target = nil
    }
  }

  func cancel() {
    state.withLock { $0.target?.cancel() }
  }

  /// Whether no statement may begin any more.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Gives the connection to somebody who can be stopped.
  func lend() -> UInt64 {
    state.withLock { state in
      state.loans += 1
      state.loan = state.loans
      state.isStopping = false
      return state.loan
    }
  }

  /// Stops what a borrower runs, and whatever it would run next.
  ///
  /// A request that comes before the statement reaches the server does nothing, so it is repeated.
  func stop(_ loan: UInt64) {
    let isLent = state.withLock { state in
      if state.loan == loan { state.isStopping = true }
      return state.loan == loan
    }
    guard isLent else { return }
    DispatchQueue.global().async { [self] in
      while request(for: loan) { usleep(100_000) }
    }
  }

  /// Asks the server to stop the statement of a borrower; false where that one has no connection any more.
  private func request(for loan: UInt64) -> Bool {
    state.withLock { state in
      guard state.loan == loan else { return false }
      state.target?.cancel()
      return true
    }
  }

  /// Sends no more requests: when it returns, the last one has been dealt with.
  func cease() {
    state.withLock { $0.loan = 0 }
  }

  /// Takes the connection back.
  func takeBack() {
    state.withLock { state in
      state.loan = 0
      state.isStopping = false
    }
  }
}
