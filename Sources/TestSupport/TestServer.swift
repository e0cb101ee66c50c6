internal import Glibc
public import Logging
public import PostgresClient
internal import PrivatePostgres
internal import Store

/// The PostgreSQL server of a test process: private, in a temporary folder, gone when the process
/// ends, whatever the way.
///
/// ```swift
/// try await TestServer.shared.withFreshDatabase { pool in
///   try await pool.query("INSERT INTO collection …")
/// }
/// ```
public actor TestServer {
  /// One server for all tests of the process; it starts at its first use.
  public static let shared = TestServer()

  /// A logger that says nothing.
  public static let silentLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private static let template = "photodb_template"

  private var started: Task<PostgresConfiguration, any Error>?
  private var databaseCount = 0

  /// Where the server's own database is; starts the server if need be.
  public func configuration() async throws -> PostgresConfiguration {
    let task = started ?? Task { try await Self.start() }
    started = task
    return try await task.value
  }

  /// Runs `body` with a pool for a database of its own.
  ///
  /// - Parameters:
  ///   - migrated: Whether it has our tables; it is a copy of a template, so that costs little.
  ///   - maximumConnections: The size of the pool.
  ///   - body: The test.
  /// - Throws: What the test throws; `PostgresError`; errors of starting the server.
  public nonisolated func withFreshDatabase<T: Sendable>(
    migrated: Bool = true, maximumConnections: Int = 8, logger: Logger = silentLogger,
    _ body: (PostgresPool) async throws -> T
  ) async throws -> T {
    let configuration = try await configuration()
    let name = await nextName()
    let admin = try await PostgresConnection.connect(configuration, logger: logger)
    let origin = migrated ? " TEMPLATE \(Self.template)" : ""
    try await admin.query("CREATE DATABASE \(name)\(origin)")
    let pool = PostgresPool(
      try configuration.with(database: name), maximumConnections: maximumConnections,
      logger: logger)
    let outcome: Result<T, any Error>
    do {
      outcome = .success(try await body(pool))
    } catch {
      outcome = .failure(error)
    }
    await pool.close()
    try await admin.query("DROP DATABASE \(name) WITH (FORCE)")
    await admin.close()
    return try outcome.get()
  }

  private func nextName() -> String {
    databaseCount += 1
    return "test_\(databaseCount)"
  }

  /// Starts the server and makes the template.
  private static func start() async throws -> PostgresConfiguration {
    let folder = try TemporaryFolder.make(prefix: "photodb-test-")
    try Watchdog.install(removing: folder)
    let server = PrivateServer(directory: folder, durability: .fast, logger: silentLogger)
    let configuration = try PostgresConfiguration(await server.start())
    let admin = try await PostgresConnection.connect(configuration, logger: silentLogger)
    try await admin.query("CREATE DATABASE \(template)")
    let connection = try await PostgresConnection.connect(
      configuration.with(database: template), logger: silentLogger)
    try await Migrator().migrate(connection)
    await connection.close()
    // Nobody may connect to a template while it is copied.
    try await admin.query("ALTER DATABASE \(template) ALLOW_CONNECTIONS false")
    await admin.close()
    return configuration
  }
}
