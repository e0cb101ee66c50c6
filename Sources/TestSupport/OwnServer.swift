internal import Glibc
public import PostgresClient
internal import PrivatePostgres
internal import Store

/// A PostgreSQL server of one test, which may kill it.
public struct OwnServer: Sendable {
  /// Where its database is; migrated.
  public let configuration: PostgresConfiguration
  /// The URL of that database.
  public let url: String
  /// The folder that holds the server.
  public let folder: String
  private let server: PrivateServer

  /// Runs `body` with a server of its own, which is gone afterwards.
  ///
  /// - Throws: What `body` throws; errors of the server.
  public static func with(_ body: (OwnServer) async throws -> Void) async throws {
    let folder = try TemporaryFolder.make(prefix: "photodb-own-")
    try Watchdog.install(removing: folder)
    let server = PrivateServer(
      directory: folder, durability: .fast, logger: TestServer.silentLogger)
    let url = try await server.start()
    let own = OwnServer(
      configuration: try PostgresConfiguration(url), url: url, folder: folder, server: server)
    let connection = try await PostgresConnection.connect(
      own.configuration, logger: TestServer.silentLogger)
    try await Migrator().migrate(connection)
    // Servers of tests may lose what they acknowledged last; not this one, which may crash.
    try await connection.query("ALTER DATABASE photodb SET synchronous_commit = on")
    try await connection.query("CHECKPOINT")
    await connection.close()
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(own))
    } catch {
      outcome = .failure(error)
    }
    try await server.stop()
    try TemporaryFolder.remove(folder)
    try outcome.get()
  }

  /// Ends every server process at once, as `pg_ctl stop -m immediate` does: the next start recovers.
  public func crash() throws {
    guard let process = server.status().processID, kill(process, SIGQUIT) == 0 else {
      throw TemporaryFolder.Failure(description: "the server does not run")
    }
    // Gone when nobody answers and its processes have ended.
    for _ in 0..<200 where kill(process, 0) == 0 { usleep(50_000) }
  }

  /// Crashes the server, and has `change` do something to the folder of its data before it starts again.
  public func crash(_ change: (_ data: String) throws -> Void) async throws {
    try crash()
    try change(folder + "/data")
    try await start()
  }

  /// Starts the server again.
  ///
  /// - Throws: errors of the server.
  public func start() async throws { try await server.start() }
}
