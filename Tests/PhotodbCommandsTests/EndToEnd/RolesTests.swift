import Foundation
import PostgresClient
import TensorFiles
import TestSupport
import Testing
import Vectors

/// docs/security.md, line by line.
@Suite("roles with few rights", .serialized)
struct RolesTests {
  /// The SQL blocks of the page, in order.
  private static func statements() throws -> [[String]] {
    let page = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/security.md").standardized
    return try String(contentsOf: page, encoding: .utf8)
      .components(separatedBy: "```sql\n").dropFirst()
      .map { block in
        block.components(separatedBy: "```")[0].components(separatedBy: ";\n")
          .filter { !$0.allSatisfy(\.isWhitespace) }
      }
  }

  private func run(_ statements: [String], _ configuration: PostgresConfiguration) async throws {
    let connection = try await PostgresConnection.connect(
      configuration, logger: TestServer.silentLogger)
    for statement in statements { try await connection.query(statement) }
    await connection.close()
  }

  @Test func theWorkersRoleCanDoEverythingButChangeTheSchema() async throws {
    let blocks = try Self.statements()
    #expect(blocks.map(\.count) == [5, 4, 1])
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        func url(_ user: String) -> String {
          "host=\(server.configuration.host) port=5432 dbname=photos user=\(user)"
        }
        try await run(blocks[0], server.configuration)
        try await run(blocks[1], PostgresConfiguration(url("photodb_owner")))
        var owner = PhotodbProcess(folder: folder)
        owner.environment = ["DATABASE_URL": url("photodb_owner")]
        _ = try await owner.json("migrate")
        try await run(blocks[2], PostgresConfiguration(url("photodb_owner")))
        var photodb = owner
        photodb.environment = ["DATABASE_URL": url("photodb_worker")]
        try await tellTheStory(photodb)
        try await run(
          [
            "CREATE SCHEMA private", "CREATE TABLE private.secret AS SELECT 1 AS number",
            "CREATE TABLE public.mine AS SELECT 1 AS number",
          ], server.configuration.with(database: "photos"))
        try await lackRights(photodb, server.configuration.with(database: "photos"), url)
        try await tryWhatIsForbidden(PostgresConfiguration(url("photodb_worker")))
      }
    }
  }

  private func tellTheStory(_ photodb: PhotodbProcess) async throws {
    try NumpyFile.write(
      Tensor(MadeUpFaces.people(count: 8, each: 8)), to: photodb.folder + "/f.npy")
    try NumpyFile.write(
      Tensor(MadeUpFaces.people(count: 8, each: 2)), to: photodb.folder + "/late.npy")
    #expect(try await photodb.json("import", "f.npy")["imported"] as? Int == 64)
    let run = try #require(try await photodb.json("re-bootstrap")["run_id"] as? Int)
    _ = try await photodb.json("import", "late.npy")
    let worked = try await photodb.json("worker", "--all", "--once")
    #expect(worked["jobs"] as? Int == 1 && worked["faces"] as? Int == 16)
    _ = try await photodb.json("assign", "--force")
    let people = try #require(
      try await photodb.json("person", "list")["people"] as? [[String: Any]])
    let ids = people.compactMap { $0["person_id"] as? Int }
    for arguments in [
      ["detection", "assign", "f.npy:0", "--person", "\(ids[1])"],
      ["detection", "reject", "f.npy:20"], ["person", "name", "\(ids[2])", "Ada"],
      ["person", "merge", "\(ids[3])", "\(ids[4])"], ["person", "split", "\(ids[3])"], ["undo"],
      ["re-bootstrap"], ["runs", "activate", "\(run)"], ["undo"],
      ["maintain", "daily", "weekly"], ["check-staleness"], ["candidates", "list"],
      ["jobs", "list"], ["runs", "list"], ["doctor"], ["export", "assignments"],
    ] {
      _ = try await photodb.json(arguments)
    }
    // The schema is there; the role could not make it.
    #expect((try await photodb.json("migrate")["applied"] as? [Any])?.isEmpty == true)
  }

  /// Whatever is asked for, the error names the right.
  private func lackRights(
    _ worker: PhotodbProcess, _ superuser: PostgresConfiguration, _ url: (String) -> String
  ) async throws {
    try await run(
      [
        "CREATE ROLE photodb_reader LOGIN", "GRANT CONNECT ON DATABASE photos TO photodb_reader",
        "GRANT USAGE ON SCHEMA public TO photodb_reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO photodb_reader",
        "REVOKE TEMPORARY ON DATABASE photos FROM photodb_worker",
      ], superuser)
    var reader = worker
    reader.environment = ["DATABASE_URL": url("photodb_reader")]
    let people = try #require(
      try await reader.json("person", "list")["people"] as? [[String: Any]])
    // Who only looks changes nothing and locks nothing.
    _ = try await reader.json("maintain", "counts", "medoids", "--dry-run")
    let ids = people.compactMap { $0["person_id"] as? Int }.prefix(2).map(String.init)
    for arguments in [
      ["person", "name", ids[0], "Eve"], ["person", "merge"] + ids, ["runs", "activate", "1"],
      ["undo"],
    ] {
      let outcome = try await reader.launch(arguments)
      #expect(outcome.code == 1, "\(arguments)")
      #expect(
        outcome.error.contains("role “photodb_reader” lacks INSERT, UPDATE, DELETE on table "),
        "\(arguments) \(outcome.error)")
    }
    let outcome = try await worker.run("re-bootstrap")
    #expect(outcome.code == 1)
    #expect(outcome.error.contains("lacks TEMPORARY on database photos ("), "\(outcome.error)")
    // Nothing can be seen in a schema that may not be used, not even which migrations there are.
    try await run(["REVOKE USAGE ON SCHEMA public FROM photodb_reader"], superuser)
    let blind = try await reader.run("person", "list")
    #expect(blind.code == 1)
    #expect(
      blind.error.contains("role “photodb_reader” lacks USAGE on schema public ("), "\(blind.error)"
    )
  }

  private func tryWhatIsForbidden(_ configuration: PostgresConfiguration) async throws {
    let connection = try await PostgresConnection.connect(
      configuration, logger: TestServer.silentLogger)
    for statement in [
      "CREATE TABLE t (id int)", "CREATE SCHEMA s", "CREATE FUNCTION f() RETURNS int RETURN 1",
      "DROP TABLE photo", "ALTER TABLE photo ADD COLUMN x int", "TRUNCATE photo CASCADE",
      "CREATE INDEX ON photo (id)", "CREATE ROLE r", "CREATE DATABASE d",
      "SELECT * FROM private.secret", "SELECT * FROM public.mine",
      "INSERT INTO schema_migration (version, name, checksum) VALUES (99, 'x', repeat('0', 64))",
      "COPY photo TO PROGRAM 'cat'", "SELECT setval('photo_id_seq', 1)",
      "SELECT pg_read_file('/etc/passwd')", "SET ROLE photodb_owner",
    ] {
      let error = await #expect(throws: PostgresError.self, "\(statement)") {
        try await connection.query(statement)
      }
      #expect(error?.code == .insufficientPrivilege, "\(statement): \(error?.description ?? "")")
    }
    await connection.close()
  }
}
