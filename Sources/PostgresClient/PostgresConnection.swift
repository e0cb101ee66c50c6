internal import CLibpq
public import Logging

/// One connection to PostgreSQL.
///
/// The actor has an executor of its own, so that its methods may block while the server works.
/// They are synchronous: whoever is isolated to the connection, such as the body of a
/// ``transaction(_:_:)``, calls them without waiting, and nothing can come in between.
///
/// ```swift
/// let connection = try await PostgresConnection.connect(configuration, logger: logger)
/// let rows = try await connection.query("SELECT id FROM person WHERE name = $1", ["Ada"])
/// for row in rows { print(try row.int64("id")) }
/// ```
///
/// The connection closes when ``close()`` is called or the last reference goes.
public actor PostgresConnection {
  private nonisolated let executor: BlockingExecutor
  private nonisolated let logger: Logger
  private nonisolated let canceller = Canceller()
  private var handle: ConnectionHandle?
  /// A COPY is under way, and any other statement would end it.
  var isCopying = false
  /// A transaction of ``transaction(_:_:)`` is open.
  var isInTransaction = false
  /// What the server has parsed for this session.
  var prepared = PreparedStatements()
  /// Whom it talks to, once somebody asked.
  var identity: ServerIdentity?

  /// Where it is connected to.
  public nonisolated let configuration: PostgresConfiguration

  /// Runs the actor's jobs where they may block.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  private init(configuration: PostgresConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    executor = BlockingExecutor(label: "photodb.postgres")
  }

  /// Connects.
  ///
  /// - Parameters:
  ///   - configuration: Where and how.
  ///   - logger: Receives the server's notices and warnings.
  /// - Throws: ``PostgresError``, one line that names host and database and no password.
  public static func connect(
    _ configuration: PostgresConfiguration, logger: Logger
  ) async throws -> PostgresConnection {
    let connection = PostgresConnection(configuration: configuration, logger: logger)
    try await connection.open()
    return connection
  }

  /// Closes the connection.
  ///
  /// An open transaction is rolled back by the server. Closing twice is allowed.
  public func close() {
    canceller.forget()
    handle = nil
  }

  /// Asks the server to stop the statement that runs now; it then fails with
  /// ``PostgresError/Code/queryCanceled``.
  ///
  /// Does nothing when none runs. Blocks for a round trip.
  public nonisolated func cancelRunningStatement() {
    canceller.cancel()
  }

  /// Whether another statement can be sent: connected, no transaction open, server still there.
  public var isReady: Bool {
    guard let handle, !isCopying, !isInTransaction else { return false }
    return handle.probe() && PQtransactionStatus(handle.pointer) == PQTRANS_IDLE
  }

  /// The server's version, such as 150018 for 15.18.
  public var serverVersion: Int { handle.map { Int(PQserverVersion($0.pointer)) } ?? 0 }

  /// The number of the server's process, as in `pg_stat_activity`.
  public var backendProcessID: Int32 { handle.map { PQbackendPID($0.pointer) } ?? 0 }

  /// Runs `body`; where its task is cancelled, the statement that runs is stopped, and none begins after it.
  ///
  /// - Throws: What `body` throws; `CancellationError` where one of its statements was stopped.
  nonisolated func lent<T: Sendable>(
    _ body: (PostgresConnection) async throws -> T
  ) async throws -> T {
    let loan = canceller.lend()
    do {
      let value = try await withTaskCancellationHandler {
        try await body(self)
      } onCancel: {
        canceller.stop(loan)
      }
      await takeBack()
      return value
    } catch {
      let isStopped = canceller.isStopping && (error as? PostgresError)?.code == .queryCanceled
      await takeBack()
      throw isStopped ? CancellationError() : error
    }
  }

  /// Waits here, where that may block, for a request to the server that is under way.
  private func takeBack() { canceller.takeBack() }

  /// Lets nothing stop the statements that follow.
  func ceaseStopping() { canceller.cease() }

  /// The connection on which to begin a statement.
  func liveHandle() throws -> ConnectionHandle {
    if canceller.isStopping { throw CancellationError() }
    return try openHandle()
  }

  /// The connection, also for whoever was told to stop.
  func openHandle() throws -> ConnectionHandle {
    guard let handle else {
      var error = PostgresError(
        .connectionFailure, "the connection to \(configuration) is closed")
      error.isConnectionLost = true
      throw error
    }
    guard !isCopying else {
      throw PostgresError(.misuse, "a COPY is under way on this connection; end it first")
    }
    return handle
  }

  func log(_ level: Logger.Level, _ message: String) {
    logger.log(level: level, "\(message)")
  }

  private func open() throws {
    let parameters = configuration.connectionParameters
    let opened = withCStrings(parameters.map(\.keyword)) { keywords in
      withCStrings(parameters.map(\.value)) { values in
        PQconnectStartParams(keywords, values, 0)
      }
    }
    guard let opened else { throw PostgresError(.misuse, "out of memory for a connection") }
    let fresh = ConnectionHandle(pointer: opened, logger: logger)
    let isInTime = fresh.finishConnecting(
      within: configuration.connectTimeout, hasOneAddress: configuration.isLocal)
    guard isInTime, !fresh.isBroken else {
      let reason =
        isInTime ? PostgresError.firstLine(of: fresh.failureMessage) : "timeout expired"
      var error = PostgresError(
        Self.code(ofConnectFailure: fresh.failureMessage),
        "cannot connect to \(configuration): \(reason)")
      error.isConnectionLost = true
      throw error
    }
    handle = fresh
    canceller.remember(fresh)
    for setting in configuration.sessionSettings {
      _ = try query(
        "SELECT set_config($1, $2, false)",
        [.text(setting.name), .text(String(setting.milliseconds))])
    }
    // A server that does not look would go on for a client that was killed, and keep its locks. It can look on
    // Linux, from 14 on.
    _ = try query(
      """
      SELECT set_config('client_connection_check_interval', '1s', false)
      WHERE current_setting('client_connection_check_interval', true) = '0'
        AND version() LIKE '%linux%'
      """)
  }

  /// libpq keeps no SQLSTATE of a refused connection, so the reasons that matter are told by the
  /// text, which is English where the server's `lc_messages` is.
  private static func code(ofConnectFailure text: String) -> PostgresError.Code {
    if text.contains("the database system is") { return .cannotConnectNow }
    if text.contains("too many c") { return .tooManyConnections }
    if text.contains("database \""), text.contains("does not exist") { return .undefinedDatabase }
    return .connectionUnavailable
  }
}
