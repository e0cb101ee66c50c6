internal import CLibpq

/// An error that PostgreSQL or the connection to it reported.
///
/// `description` is one line that holds no values of rows and no secret. `debugDescription` adds
/// what the server tells about the values (`detail`), the hint and the context.
public struct PostgresError: Error, Sendable {
  /// What kind of error it is.
  public let code: Code
  /// The primary message, one line.
  public let message: String
  /// What the server says about the particular values, if anything.
  public var detail: String?
  /// What the server suggests.
  public var hint: String?
  /// Where in functions and statements it happened.
  public var context: String?
  /// The table it concerns.
  public var table: String?
  /// The column it concerns.
  public var column: String?
  /// The constraint that was violated.
  public var constraint: String?
  /// The first character of the statement that is wrong, counted from 1.
  public var position: Int?
  /// Whether the connection is gone.
  ///
  /// Nothing is known of statements sent outside a transaction.
  public var isConnectionLost = false

  /// Makes an error.
  ///
  /// - Parameters:
  ///   - code: The kind.
  ///   - message: One line: what, where, what to do.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  /// One line with the message, the SQLSTATE and the constraint, table or column concerned.
  public var description: String {
    var line = message
    var evidence: [String] = []
    if !code.isOurs { evidence.append("SQLSTATE \(code.rawValue)") }
    if let constraint { evidence.append("constraint \(constraint)") }
    if let table { evidence.append("table \(table)") }
    if let column { evidence.append("column \(column)") }
    if !evidence.isEmpty { line += " (\(evidence.joined(separator: ", ")))" }
    return line
  }

  /// The description with detail, hint and context.
  public var debugDescription: String {
    var text = description
    if let detail { text += "; detail: \(detail)" }
    if let hint { text += "; hint: \(hint)" }
    if let position { text += "; at character \(position)" }
    if let context { text += "; context: \(context)" }
    return text
  }
}

extension PostgresError {
  /// Reads the error out of a failed result.
  init(result: OpaquePointer?, handle: ConnectionHandle) {
    let field = { (name: DiagnosticField) in Self.diagnostic(name, of: result) }
    let state = field(.sqlState).map(Code.init(rawValue:))
    let text = field(.message) ?? Self.firstLine(of: handle.failureMessage)
    // A fatal error ends the connection, even if libpq has not read that far. An error without a
    // state is libpq's own: after a write that failed it learns of the end only by reading on.
    let lost =
      handle.isBroken || field(.severity).map(Self.ending.contains) ?? false
      || state == nil && !handle.probe()
    let code = state ?? (lost ? .connectionFailure : .protocolViolation)
    self = lost ? .connectionLost(code, text) : PostgresError(code, text)
    detail = field(.detail)
    hint = field(.hint)
    context = field(.context)
    table = field(.table)
    column = field(.column)
    constraint = field(.constraint)
    position = field(.position).flatMap { Int($0) }
  }

  /// The connection went, for a reason that the server or libpq gave.
  static func connectionLost(_ code: Code, _ reason: String) -> PostgresError {
    var error = PostgresError(code, "\(lossBegins)\(reason)")
    error.isConnectionLost = true
    return error
  }

  /// The connection went while a commit was under way, for the reason of another error.
  static func commitUnknown(_ loss: PostgresError) -> PostgresError {
    var error = PostgresError(
      .transactionResolutionUnknown,
      """
      the connection was lost during a commit (\(loss.message.trimmingPrefix(lossBegins))); look \
      whether it happened before trying again
      """)
    error.isConnectionLost = true
    return error
  }

  private static let lossBegins = "the connection to the database was lost: "

  /// Severities after which the server ends the session.
  static let ending: Set<String> = ["FATAL", "PANIC"]

  /// One field of an error or notice.
  static func diagnostic(_ field: DiagnosticField, of result: OpaquePointer?) -> String? {
    PQresultErrorField(result, field.rawValue).map { String(cString: $0) }
  }

  /// The first line that is not empty, since libpq's messages may have several.
  static func firstLine(of text: String) -> String {
    text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given"
  }
}

/// Codes of the fields in an error message of the protocol.
///
/// libpq has them as character macros, which Swift does not import. Source: PostgreSQL
/// documentation, "Error and Notice Message Fields".
enum DiagnosticField {
  case severity
  case sqlState
  case message
  case detail
  case hint
  case position
  case context
  case table
  case column
  case constraint

  var rawValue: Int32 {
    let letter: UInt8 =
      switch self {
      case .severity: UInt8(ascii: "V")
      case .sqlState: UInt8(ascii: "C")
      case .message: UInt8(ascii: "M")
      case .detail: UInt8(ascii: "D")
      case .hint: UInt8(ascii: "H")
      case .position: UInt8(ascii: "P")
      case .context: UInt8(ascii: "W")
      case .table: UInt8(ascii: "t")
      case .column: UInt8(ascii: "c")
      case .constraint: UInt8(ascii: "n")
      }
    return Int32(letter)
  }
}
