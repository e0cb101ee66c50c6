internal import Foundation
internal import Logging

/// Logs to standard error, one JSON object a line, for programs that collect logs.
///
/// The keys are `time`, `level`, `message`, and those of the metadata; numbers are numbers.
struct JSONLogHandler: LogHandler {
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
    StandardError.shared.line(
      Self.text(level: event.level, message: event.message, metadata: all, time: Date()))
  }

  /// The line for one message.
  static func text(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata, time: Date
  ) -> String {
    var values = metadata.mapValues { Value("\($0)") }
    values["time"] = .text(
      time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    values["level"] = .text(level.rawValue)
    values["message"] = .text("\(message)")
    // Text and finite numbers always have a JSON form.
    return (try? CommandOutput.encode(values)) ?? "{}"
  }

  private enum Value: Encodable {
    case number(Double)
    case integer(Int)
    case text(String)

    init(_ text: String) {
      if let integer = Int(text) {
        self = .integer(integer)
      } else if let number = Double(text), number.isFinite {
        self = .number(number)
      } else {
        self = .text(text)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .number(let value): try container.encode(value)
      case .integer(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      }
    }
  }
}
