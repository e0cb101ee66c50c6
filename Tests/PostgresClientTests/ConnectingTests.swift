import Glibc
import PostgresClient
import TestSupport
import Testing

@Suite struct ConnectingTests {
  @Test("what the server says while a connection is made goes to the logger")
  func notice() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(
        """
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_text_search_config = nowhere',
          current_database()); END $$
        """)
      let log = CollectedLog()
      let connection = try await PostgresConnection.connect(pool.configuration, logger: log.logger)
      await connection.close()
      #expect(
        log.lines.contains {
          $0.hasPrefix("warning PostgreSQL: ") && $0.contains("default_text_search_config")
        }, "\(log.lines)")
    }
  }

  @Test("a server that answers nothing is given up after the time that was set")
  func silence() async throws {
    try await TemporaryFolder.with { folder in
      let listener = try Self.listen(at: folder + "/.s.PGSQL.5432")
      defer { close(listener) }
      var configuration = try PostgresConfiguration(
        "host=\(folder) port=5432 dbname=nothing user=nobody")
      configuration.connectTimeout = 1
      let start = ContinuousClock.now
      let error = await #expect(throws: PostgresError.self) {
        _ = try await PostgresConnection.connect(configuration, logger: TestServer.silentLogger)
      }
      #expect(error?.isConnectionLost == true)
      #expect(error?.description.contains("timeout expired") == true)
      #expect(.now - start >= .seconds(1))
    }
  }

  /// A socket whose connections nobody accepts.
  private static func listen(at path: String) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    try #require(Glibc.listen(listener, 8) == 0)
    return listener
  }
}
