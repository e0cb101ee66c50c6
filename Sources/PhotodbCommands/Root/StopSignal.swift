internal import Dispatch
internal import Glibc
internal import Synchronization

/// Turns SIGINT and SIGTERM into the cancellation of what the program does.
///
/// The first signal asks, the second ends the process at once, and so does the first where nothing
/// has come of it after ``patience``. PostgreSQL rolls back what an ended process leaves open.
final class StopSignal: Sendable {
  /// Seconds after which a command that does not heed its cancellation is ended.
  static let patience = 10

  private let signal = Atomic<Int32>(0)

  /// The signal that asked the program to stop; nil where none did.
  var received: Int32? {
    let value = signal.load(ordering: .acquiring)
    return value == 0 ? nil : value
  }

  /// Watches for the signals from now on; once in a process.
  ///
  /// A signal that the parent has set to be ignored stays ignored, as `nohup` means it.
  ///
  /// - Parameter cancel: called once, on a thread of its own, at the first signal.
  static func watch(_ cancel: @escaping @Sendable () -> Void) -> StopSignal {
    let stop = StopSignal()
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return stop }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // Both globals are made before a handler can look at them.
    signalPipe.store(ends[1], ordering: .releasing)
    signalCount.store(0, ordering: .releasing)
    for number in [SIGINT, SIGTERM] { install(number) }
    let reading = ends[0]
    let thread = DispatchQueue(label: "photodb.signals")
    thread.async {
      var number: UInt8 = 0
      while read(reading, &number, 1) != 1 {
        guard errno == EINTR else { return }
      }
      stop.signal.store(Int32(number), ordering: .releasing)
      cancel()
      sleep(UInt32(patience))
      _ = Ending(of: CancellationError(), stoppedBy: Int32(number)).report()
      _exit(128 + Int32(number))
    }
    return stop
  }

  /// `SIGINT` or `SIGTERM`.
  static func name(of signal: Int32) -> String { signal == SIGINT ? "SIGINT" : "SIGTERM" }

  private static func install(_ number: Int32) {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return }
    let isIgnored =
      unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
    if isIgnored { return }
    action = sigaction()
    action.__sigaction_handler.sa_handler = noteSignal
    action.sa_flags = SA_RESTART
    sigaction(number, &action, nil)
  }
}

/// Write end of the pipe over which the handler tells of signals.
private let signalPipe = Atomic<Int32>(-1)
private let signalCount = Atomic<Int32>(0)

/// Runs inside a signal handler: nothing but system calls and lock-free atomics.
private func noteSignal(_ number: Int32) {
  if signalCount.wrappingAdd(1, ordering: .relaxed).newValue > 1 { _exit(128 + number) }
  let saved = errno
  var byte = UInt8(truncatingIfNeeded: number)
  _ = write(signalPipe.load(ordering: .relaxed), &byte, 1)
  errno = saved
}
