internal import CLibpq

/// Where the database is and how to behave towards it.
///
/// The password is kept apart: no description, dump or error ever holds it.
public struct PostgresConfiguration: Sendable {
  /// Longest wait for a connection, in whole seconds, for each of the server's addresses, which are tried twice
  /// where one says nothing; 0 or less waits as long as it takes.
  public var connectTimeout = 10
  /// Longest time a statement may run; `nil` leaves the server's setting.
  public var statementTimeout: Duration?
  /// Longest wait for a lock; `nil` leaves the server's setting.
  public var lockTimeout: Duration?
  /// Longest pause inside a transaction before the server ends it; `nil` leaves its setting.
  public var idleInTransactionTimeout: Duration?
  /// Shown in `pg_stat_activity`.
  public var applicationName = "photodb"

  private let options: [String: String]
  private let password: Secret

  /// Reads a URL (`postgresql://user:password@host:port/database?…`) or a string of keywords
  /// (`host=… dbname=…`), as libpq does.
  ///
  /// What is missing comes from libpq's environment (`PGHOST`, `PGPASSWORD`, …) at the time of
  /// connecting.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/configuration``; its text repeats
  ///   nothing of the string, for any part of it may be the password.
  public init(_ text: String) throws {
    if let complaint = Self.complaint(aboutURL: text) {
      throw PostgresError(.configuration, complaint)
    }
    var found = try Self.parse(text)
    password = Secret(value: found.removeValue(forKey: "password"))
    options = found
    if let name = found["application_name"] { applicationName = name }
    if let timeout = found["connect_timeout"].flatMap({ Int($0) }) { connectTimeout = timeout }
  }

  /// A host name, an address or the folder of a socket; empty for libpq's default.
  public var host: String { options["host"] ?? options["hostaddr"] ?? "" }
  /// The database's name; empty for libpq's default.
  public var database: String { options["dbname"] ?? "" }
  /// The user's name; empty for libpq's default.
  public var user: String { options["user"] ?? "" }

  /// Whether the text held a password.
  public var hasPassword: Bool { password.value != nil }

  /// The same server and user, and another database.
  public func with(database name: String) throws -> Self {
    var copy = try Self(options: options.merging(["dbname": name]) { $1 }, password: password)
    copy.connectTimeout = connectTimeout
    copy.statementTimeout = statementTimeout
    copy.lockTimeout = lockTimeout
    copy.idleInTransactionTimeout = idleInTransactionTimeout
    copy.applicationName = applicationName
    return copy
  }

  private init(options: [String: String], password: Secret) throws {
    self.options = options
    self.password = password
  }

  /// Whether it names one socket of this machine.
  var isLocal: Bool { host.hasPrefix("/") && !host.contains(",") }

  /// Keywords and values for `PQconnectStartParams`.
  var connectionParameters: [(keyword: String, value: String)] {
    var all = options
    all["application_name"] = applicationName
    all["connect_timeout"] = String(connectTimeout)
    all["client_encoding"] = "UTF8"
    if let value = password.value { all["password"] = value }
    return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Settings of the session, with their values in milliseconds.
  var sessionSettings: [(name: String, milliseconds: Int64)] {
    [
      ("statement_timeout", statementTimeout), ("lock_timeout", lockTimeout),
      ("idle_in_transaction_session_timeout", idleInTransactionTimeout),
    ].compactMap { name, duration in
      duration.map { (name, max(1, $0 / .milliseconds(1)).rounded()) }.map { ($0, Int64($1)) }
    }
  }
}

/// A value that prints as dots.
private struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
  let value: String?
  var description: String { value == nil ? "none" : "•••" }
  var customMirror: Mirror { Mirror(self, children: []) }
}

extension PostgresConfiguration: CustomStringConvertible {
  /// Where the database is, with no password: `database "photodb" at /run/socket, user "photodb"`.
  public var description: String {
    let named = database.isEmpty ? "the default database" : "database \"\(database)\""
    let port = options["port"].map { ":\($0)" } ?? ""
    let place = host.isEmpty ? "the default host" : host + port
    return "\(named) at \(place)" + (user.isEmpty ? "" : ", user \"\(user)\"")
  }
}
