import PostgresClient
import Store
import TestSupport
import Testing

extension RepositoriesOnPostgres {
  /// Databases and roles that cannot work are refused with one line that says what is missing.
  @Suite struct DatabaseChecksTests {
    private func withDatabase(
      options: String, _ body: (PostgresPool) async throws -> Void
    ) async throws {
      let configuration = try await TestServer.shared.configuration()
      let logger = TestServer.silentLogger
      let admin = try await PostgresConnection.connect(configuration, logger: logger)
      try await admin.query("CREATE DATABASE checks \(options)")
      let pool = PostgresPool(try configuration.with(database: "checks"), logger: logger)
      let outcome: Result<Void, any Error>
      do {
        outcome = .success(try await body(pool))
      } catch {
        outcome = .failure(error)
      }
      await pool.close()
      try await admin.query("DROP DATABASE checks WITH (FORCE)")
      await admin.close()
      try outcome.get()
    }

    @Test(arguments: ["LATIN1", "SQL_ASCII"]) func onlyUTF8IsTaken(encoding: String) async throws {
      try await withDatabase(
        options: "TEMPLATE template0 ENCODING '\(encoding)' LOCALE 'C'"
      ) { pool in
        let error = await #expect(throws: StoreError.self) { try await Migrator().migrate(pool) }
        #expect(
          error?.description
            == "database “checks” has the encoding \(encoding); photodb needs UTF8: make one with "
            + "`CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`")
      }
    }

    @Test func theMissingRightIsNamed() async throws {
      try await withDatabase(options: "") { pool in
        try await pool.withConnection { connection in
          // Only a role that owns nothing lacks rights.
          try await connection.query("CREATE ROLE visitor")
          try await connection.query("SET ROLE visitor")
          let migrating = await #expect(throws: StoreError.self) {
            try await Migrator().migrate(connection)
          }
          #expect(
            migrating?.description == "role “visitor” lacks CREATE on schema public "
              + "(permission denied for schema public); the owner can GRANT it")
          try await connection.query("RESET ROLE")
          try await Migrator().migrate(connection)
          try await connection.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
          try await connection.query("SET ROLE visitor")
          let error = await #expect(throws: PostgresError.self) {
            try await connection.query(
              "INSERT INTO collection (name, embedding_model, embedding_dim) VALUES ('a', 'b', 4)")
          }
          let explained = try await DatabaseChecks.explain(try #require(error), on: connection)
          #expect(
            explained.description == "role “visitor” lacks INSERT, UPDATE, DELETE on table "
              + "collection (permission denied for table collection); the owner can GRANT it")
          let tables = try await connection.query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
          ).map { try $0.text(0) }
          #expect(tables.count >= 20)
          let sequence = PostgresError(
            .insufficientPrivilege, "permission denied for sequence photo_id_seq")
          #expect(
            try await DatabaseChecks.explain(sequence, on: connection).description
              .contains("lacks USAGE on sequence photo_id_seq ("))
          for table in tables {
            let refusal = PostgresError(
              .insufficientPrivilege, "permission denied for table \(table)")
            #expect(
              try await DatabaseChecks.explain(refusal, on: connection).description
                .contains("on table \(table) ("), "\(table)")
          }
          try await connection.query("RESET ROLE")
          try await connection.query("REVOKE TEMPORARY ON DATABASE checks FROM PUBLIC")
          try await connection.query("CREATE TABLE elsewhere (id integer)")
          try await connection.query("CREATE SCHEMA hidden CREATE TABLE elsewhere (id integer)")
          try await connection.query("SET ROLE visitor")
          for (statement, right) in [
            ("CREATE TEMPORARY TABLE t (id integer)", "TEMPORARY on database checks"),
            ("SELECT FROM elsewhere", "SELECT on table elsewhere"),
            ("SELECT FROM hidden.elsewhere", "USAGE on schema hidden"),
          ] {
            let error = await #expect(throws: PostgresError.self) {
              try await connection.query(statement)
            }
            let explained = try await DatabaseChecks.explain(try #require(error), on: connection)
            #expect(explained.description.contains("lacks \(right) ("))
          }
          try await connection.query("RESET ROLE")
          try await connection.query("DROP OWNED BY visitor")
          try await connection.query("DROP ROLE visitor")
        }
      }
    }
  }
}
