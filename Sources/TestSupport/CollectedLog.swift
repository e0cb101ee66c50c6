public import Logging
internal import Synchronization

/// What was logged, for tests to read.
public final class CollectedLog: Sendable {
  private let collected = Mutex<[String]>([])

  /// An empty log.
  public init() {}

  /// `level message` of everything so far, in order.
  public var lines: [String] { collected.withLock { $0 } }

  /// A logger that writes here, of every level.
  public var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: CollectedLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      log.collected.withLock { $0.append("\(event.level) \(event.message)") }
    }
  }
}
