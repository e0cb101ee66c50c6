extension PostgresError {
  /// The kind of an error: an SQLSTATE, or one of the codes of this client (class `PD`).
  ///
  /// The list of constants is not complete; any other state compares by its five letters.
  /// Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
  public struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// Five letters or digits.
    public let rawValue: String

    /// Makes a code of any five letters.
    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// Makes a code of a literal.
    public init(stringLiteral value: String) {
      rawValue = value
    }

    /// Whether the code is one of this client and not an SQLSTATE.
    public var isOurs: Bool { rawValue.hasPrefix("PD") }

    /// Whether the server was not reached or went away (class 08, and shutdown states of 57).
    public var isConnectionProblem: Bool {
      rawValue.hasPrefix("08") && self != .transactionResolutionUnknown
        || self == .adminShutdown || self == .crashShutdown || self == .cannotConnectNow
    }

    /// Whether there was no connection to be had.
    var isRefusedConnection: Bool {
      self == .connectionUnavailable || self == .cannotConnectNow || self == .tooManyConnections
    }
  }
}

extension PostgresError.Code {
  /// The server could not be reached.
  public static let connectionUnavailable: Self = "08001"
  /// The connection broke.
  public static let connectionFailure: Self = "08006"
  /// The connection broke while a commit was under way: whether it happened is not known.
  public static let transactionResolutionUnknown: Self = "08007"
  /// The two sides do not understand one another.
  public static let protocolViolation: Self = "08P01"
  /// The value does not fit its type.
  public static let numericValueOutOfRange: Self = "22003"
  /// The text is not a value of its type.
  public static let invalidTextRepresentation: Self = "22P02"
  /// NULL where none may be.
  public static let notNullViolation: Self = "23502"
  /// The row that is referred to does not exist, or is still referred to.
  public static let foreignKeyViolation: Self = "23503"
  /// The key exists.
  public static let uniqueViolation: Self = "23505"
  /// A check constraint says no.
  public static let checkViolation: Self = "23514"
  /// An earlier error has spoilt the transaction.
  public static let inFailedTransaction: Self = "25P02"
  /// The server ended a session whose transaction waited too long for its next statement.
  public static let idleInTransactionTimeout: Self = "25P03"
  /// A write in a read-only transaction.
  public static let readOnlyTransaction: Self = "25006"
  /// The transaction cannot be serialised with those beside it: try again.
  public static let serializationFailure: Self = "40001"
  /// Two transactions waited for one another: try again.
  public static let deadlockDetected: Self = "40P01"
  /// The statement cannot be read.
  public static let syntaxError: Self = "42601"
  /// No such column.
  public static let undefinedColumn: Self = "42703"
  /// No such table.
  public static let undefinedTable: Self = "42P01"
  /// The table exists.
  public static let duplicateTable: Self = "42P07"
  /// No right to do this.
  public static let insufficientPrivilege: Self = "42501"
  /// No such database.
  public static let undefinedDatabase: Self = "3D000"
  /// Every connection that the server allows is taken.
  public static let tooManyConnections: Self = "53300"
  /// The lock was not to be had in time.
  public static let lockNotAvailable: Self = "55P03"
  /// The statement was cancelled, or ran into `statement_timeout`.
  public static let queryCanceled: Self = "57014"
  /// An administrator ended the connection or the server.
  public static let adminShutdown: Self = "57P01"
  /// The server crashed.
  public static let crashShutdown: Self = "57P02"
  /// The server is starting up or shutting down.
  public static let cannotConnectNow: Self = "57P03"

  /// A value cannot be read as the type that was asked for.
  public static let decoding: Self = "PD001"
  /// The connection was used in a way that cannot work.
  public static let misuse: Self = "PD002"
  /// The configuration of the connection cannot be understood.
  public static let configuration: Self = "PD003"
}
