import PostgresClient
import TestSupport
import Testing

@Suite struct ConfigurationTests {
  private static let secret = "hunter2secret"

  @Test(arguments: [
    "postgresql://ada:hunter2secret@db.example:6543/photos?sslmode=require",
    "host=db.example port=6543 user=ada password=hunter2secret dbname=photos",
  ])
  func partsAreReadAndThePasswordIsNowhere(_ text: String) throws {
    let configuration = try PostgresConfiguration(text)
    #expect(configuration.host == "db.example")
    #expect(configuration.database == "photos")
    #expect(configuration.user == "ada")
    #expect(
      configuration.description == "database \"photos\" at db.example:6543, user \"ada\"")
    var dumped = ""
    dump(configuration, to: &dumped)
    for shown in ["\(configuration)", String(reflecting: configuration), dumped] {
      #expect(!shown.contains(Self.secret))
    }
    let other = try configuration.with(database: "other")
    #expect(other.database == "other")
    #expect(other.host == "db.example")
  }

  @Test(arguments: [
    "postgresql://ada:hunter2secret@x@db/photos", "postgresql://ada:a?b@hunter2secret@db/photos",
    "postgresql://ada:hunter2secret/x@db/photos",
    "postgresql://ada:hunter2secret/x/photos",
    "postgresql://ada:%zzhunter2secret@db/photos",
    "postgres://ada:hunter2secret@db:port/photos",
    "mysql://ada:hunter2secret@db/photos",
    "host=db password=x hunter2secret",
    "hunter2secret",
  ])
  func whatCannotBeReadIsNotRepeated(_ text: String) {
    let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(text) }
    #expect(error?.code == .configuration)
    #expect(error?.description.contains("hunter2") == false)
    #expect(error?.debugDescription.contains("hunter2") == false)
    #expect(error?.description.contains("\n") == false)
  }

  @Test(arguments: [
    "postgresql://ada:hunter2secret@/photos?host=/nonexistent/socket",
    "postgresql://ada:hunter2secret@localhost:1/photos",
    "host=no-such-host.invalid user=ada password=hunter2secret dbname=photos connect_timeout=3",
  ])
  func connectionErrorsAreOneLineWithPlaceAndDatabase(_ text: String) async throws {
    let configuration = try PostgresConfiguration(text)
    let error = await #expect(throws: PostgresError.self) {
      try await PostgresConnection.connect(configuration, logger: TestServer.silentLogger)
    }
    #expect(error?.code == .connectionUnavailable)
    let shown = "\(error?.description ?? "") \(error?.debugDescription ?? "")"
    #expect(shown.contains("photos"))
    #expect(shown.contains(configuration.host))
    #expect(!shown.contains(Self.secret))
    #expect(error?.description.contains("\n") == false)
  }

  @Test func unknownDatabase() async throws {
    let configuration = try await TestServer.shared.configuration().with(database: "nowhere")
    let error = await #expect(throws: PostgresError.self) {
      try await PostgresConnection.connect(configuration, logger: TestServer.silentLogger)
    }
    #expect(error?.code == .undefinedDatabase)
  }

  @Test func aFullServerIsToldFromAMissingOne() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE ROLE guest LOGIN CONNECTION LIMIT 0")
      let guest = try PostgresConfiguration(
        "host='\(pool.configuration.host)' user=guest dbname='\(pool.configuration.database)'")
      let error = await #expect(throws: PostgresError.self) {
        try await PostgresConnection.connect(guest, logger: TestServer.silentLogger)
      }
      try await pool.query("DROP ROLE guest")
      #expect(error?.code == .tooManyConnections)
      #expect(error?.isTransient == true)
    }
  }
}
