internal import Logging

/// Logs to standard error, one line a message: `photodb: warning: text (key=value)`.
struct TerminalLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level

  /// A handler that shows messages of `logLevel` and above.
  init(logLevel: Logger.Level) { self.logLevel = logLevel }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    StandardError.shared.line(Self.text(level: event.level, message: event.message, metadata: all))
  }

  /// The line for one message.
  static func text(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata
  ) -> String {
    let values = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let suffix = values.isEmpty ? "" : " (\(values.joined(separator: ", ")))"
    return "photodb: \(level.rawValue): \(message)\(suffix)"
  }
}
