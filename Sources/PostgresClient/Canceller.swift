internal import CLibpq
internal import Synchronization

/// Cancels the statement of a connection from any thread.
///
/// `PQcancel` is made for this: it opens a connection of its own and may be called at any time,
/// as long as the object is not freed meanwhile, which the lock prevents.
final class Canceller: Sendable {
  private struct Target: @unchecked Sendable {
    // A PGcancel is immutable after it was made; the mutex guards its life.
    let pointer: OpaquePointer
  }

  private let target = Mutex<Target?>(nil)

  deinit {
    forget()
  }

  func remember(_ handle: ConnectionHandle) {
    guard let pointer = PQgetCancel(handle.pointer) else { return }
    let fresh = Target(pointer: pointer)
    target.withLock { $0 = fresh }
  }

  func forget() {
    target.withLock { held in
      if let held { PQfreeCancel(held.pointer) }
      held = nil
    }
  }

  func cancel() {
    target.withLock { held in
      guard let held else { return }
      // The reason of a failure has no reader: the statement then simply runs to its end.
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        _ = PQcancel(held.pointer, buffer.baseAddress, Int32(buffer.count))
      }
    }
  }
}
