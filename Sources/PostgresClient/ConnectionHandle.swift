internal import CLibpq
internal import Glibc
internal import Logging

/// Owns one libpq connection and closes it when released.
///
/// Only the actor of a connection holds it, so that nothing else ever touches the pointer.
final class ConnectionHandle {
  let pointer: OpaquePointer
  private let notices: NoticeSink

  init(pointer: OpaquePointer, logger: Logger) {
    self.pointer = pointer
    notices = NoticeSink(logger: logger)
    // The sink lives exactly as long as the connection that calls it: deinit closes first.
    PQsetNoticeReceiver(
      pointer,
      { context, result in
        guard let context, let result else { return }
        Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().receive(result)
      }, Unmanaged.passUnretained(notices).toOpaque())
  }

  deinit {
    PQfinish(pointer)
  }

  /// Waits until a connection that was begun is made, or is broken.
  ///
  /// `PQconnectdb` would wait by itself, and print what the server says meanwhile to standard error, because
  /// nobody can set a receiver before it returns.
  ///
  /// - Parameters:
  ///   - seconds: longest wait for an address of the server; 0 or less waits as long as it takes.
  ///   - hasOneAddress: whether there is no other to try; where there may be, libpq tries all of them once more.
  /// - Returns: whether it was in time.
  func finishConnecting(within seconds: Int, hasOneAddress: Bool) -> Bool {
    var (deadline, address) = (ContinuousClock.now, Int32(-1))
    // As after a call that returned "writing": libpq's manual.
    var step = PGRES_POLLING_WRITING
    while step != PGRES_POLLING_OK, step != PGRES_POLLING_FAILED,
      PQstatus(pointer) != CONNECTION_BAD
    {
      if PQsocket(pointer) != address {
        address = PQsocket(pointer)
        deadline = .now + .seconds(seconds)
      }
      var socket = pollfd(
        fd: address, events: Int16(step == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
      let left = max(0, (deadline - .now) / .milliseconds(1)).rounded(.up)
      let ready = poll(&socket, 1, seconds <= 0 ? -1 : Int32(min(left, 60_000)))
      if ready > 0 {
        step = PQconnectPoll(pointer)
      } else if ready < 0, errno != EINTR {
        return false
      } else if ready == 0, .now >= deadline {
        if hasOneAddress { return false }
        // Only libpq can go on with another address, and it begins with the first again.
        PQreset(pointer)
        return true
      }
    }
    return true
  }

  /// Whether libpq has seen the connection break.
  var isBroken: Bool { PQstatus(pointer) != CONNECTION_OK }

  /// Reads what the server sent unasked, and so notices a connection that it has closed.
  ///
  /// The first read may find the server's last message, and only the second the end.
  func probe() -> Bool {
    PQconsumeInput(pointer) == 1 && PQconsumeInput(pointer) == 1 && !isBroken
  }

  /// Why no statement that is sent from now on will be run; nil where the connection goes on, as far as known.
  ///
  /// Asked while none is under way: what the server says then stands before anything that is sent later.
  func ending() -> PostgresError? {
    let isAlive = probe()
    // Reading is not yet understanding: this hands what came unasked to the sink.
    _ = PQisBusy(pointer)
    return notices.farewell ?? (isAlive ? nil : PostgresError(result: nil, handle: self))
  }

  /// The text of the last failure, which has no result of its own when the connection broke.
  var failureMessage: String { String(cString: PQerrorMessage(pointer)) }

  /// Reads all results that are still to come, and returns the first error among them.
  func drain() -> PostgresError? {
    var failure: PostgresError?
    while let result = PQgetResult(pointer) {
      if failure == nil, PQresultStatus(result) == PGRES_FATAL_ERROR {
        failure = PostgresError(result: result, handle: self)
      }
      PQclear(result)
      if isBroken { break }
    }
    return failure
  }
}

/// Passes notices and warnings of the server on to a logger.
private final class NoticeSink {
  private let logger: Logger
  /// Why the server ended the session while nobody had asked it for anything.
  private(set) var farewell: PostgresError?

  init(logger: Logger) {
    self.logger = logger
  }

  func receive(_ result: OpaquePointer) {
    let field = { (name: DiagnosticField) in PostgresError.diagnostic(name, of: result) }
    let severity = field(.severity) ?? "NOTICE"
    if PostgresError.ending.contains(severity) {
      farewell = .connectionLost(
        field(.sqlState).map(PostgresError.Code.init(rawValue:)) ?? .connectionFailure,
        field(.message) ?? "no reason given")
    }
    let level: Logger.Level =
      switch severity {
      case "WARNING": .warning
      case "NOTICE", "INFO": .info
      default: .debug
      }
    logger.log(
      level: level, "PostgreSQL: \(field(.message) ?? "")",
      metadata: ["severity": "\(severity)", "sqlstate": "\(field(.sqlState) ?? "")"])
  }
}
