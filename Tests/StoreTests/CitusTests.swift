import Foundation
import PostgresClient
import Store
import TestSupport
import Testing

extension RepositoriesOnPostgres {
  /// docs/citus.md beside the schema that the migrations make.
  @Suite struct CitusTests {
    @Test func everyKeyStartsWithTheCollection() async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        // Keys of both kinds: constraints, and unique indexes that are none.
        let keys = try await pool.query(
          """
          SELECT k.name, k.owner::text, a.attname
          FROM (
            SELECT conname AS name, conrelid::regclass AS owner, conkey[1] AS first
            FROM pg_constraint WHERE contype IN ('p', 'u', 'f', 'x') AND conrelid <> 0
            UNION ALL
            SELECT indexrelid::regclass::text, indrelid::regclass, indkey[0]
            FROM pg_index WHERE indisunique
          ) AS k
          JOIN pg_class AS t ON t.oid = k.owner
          LEFT JOIN pg_attribute AS a ON a.attrelid = k.owner AND a.attnum = k.first
          WHERE t.relnamespace = 'public'::regnamespace
            AND t.relname NOT IN ('collection', 'schema_migration')
          """
        ).map { (name: try $0.text(0), table: try $0.text(1), column: try $0.optionalText(2)) }
        #expect(Set(keys.map(\.table)).count > 10)
        for key in keys {
          #expect(key.column == "collection_id", "\(key.name) of \(key.table)")
        }
      }
    }

    /// "Cannot drop multiple distributed objects in a single command", says Citus.
    @Test func noMigrationDropsTwoIndexesAtOnce() throws {
      for migration in try [Migration].embedded() {
        #expect(
          migration.sql.firstMatch(of: /DROP (INDEX|TABLE)[^;]*,/) == nil, "\(migration.name)")
      }
    }

    @Test func theDocumentedStatementsDistributeEveryTable() async throws {
      try await Self.distributed { pool, _ in
        let left = try await pool.query(
          """
          SELECT relname::text FROM pg_class
          WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND relname NOT IN ('schema_migration', 'distributed')
            AND oid NOT IN (SELECT name FROM distributed)
          """
        ).map { try $0.text(0) }
        #expect(left == [], "docs/citus.md does not distribute them")
        let local = try await pool.query(
          "SELECT name::text FROM distributed WHERE NOT by_collection"
        ).map { try $0.text(0) }
        #expect(local == ["collection"])
        #expect(try await Self.refusedKeys(pool) == [])
      }
    }

    /// With `ON DELETE SET NULL` or without it.
    @Test(arguments: [false, true])
    func aMedoidCanBeDeleted(distributed: Bool) async throws {
      let body: @Sendable (StoredCollection) async throws -> Void = { stored in
        let others = try await stored.pool.withTransaction { connection in
          try connection.query(
            "UPDATE cluster SET representative_detection_id = $1", [.int64(stored.faces[1])])
          let detections = DetectionRepository(stored.collection)
          let gone = Array(stored.faces.prefix(2))
          try detections.reset(gone, runID: nil, on: connection)
          return try detections.delete(gone, on: connection)
        }
        #expect(others == 2)
        let cleared = try await stored.value(
          "SELECT medoid_detection_id IS NULL AND representative_detection_id IS NULL FROM cluster")
        #expect(cleared == "true")
      }
      if distributed {
        try await Self.distributed { _, stored in try await body(stored) }
      } else {
        try await StoredCollection.run(body)
      }
    }

    /// Runs `body` in a database after the statements of docs/citus.md.
    private static func distributed(
      _ body: (PostgresPool, StoredCollection) async throws -> Void
    ) async throws {
      let page = try String(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
          .appending(path: "../../docs/citus.md").standardized, encoding: .utf8)
      let statements = page.components(separatedBy: "```sql\n").dropFirst()
        .map { $0.components(separatedBy: "```")[0] }.joined(separator: "\n")
      #expect(!statements.isEmpty)
      try await TestServer.shared.withFreshDatabase { pool in
        try await pool.withConnection { connection in
          try await connection.execute(script: standIns)
          try await connection.execute(script: statements)
        }
        try await body(pool, try await StoredCollection.make(pool, name: "faces"))
      }
    }

    /// Foreign keys that Citus refuses in a distributed table.
    private static func refusedKeys(_ pool: PostgresPool) async throws -> [String] {
      try await pool.query("SELECT refused_keys(name) FROM distributed WHERE by_collection").map {
        try $0.text(0)
      }
    }

    /// Functions with the names of Citus's own, which note the table and refuse wrong keys.
    private static let standIns = """
      CREATE TABLE distributed (name regclass PRIMARY KEY, by_collection boolean NOT NULL);

      CREATE FUNCTION refused_keys(t regclass) RETURNS SETOF text LANGUAGE sql AS $$
        SELECT conname::text FROM pg_constraint
        WHERE contype = 'f' AND conrelid = t AND (
          (confrelid <> t AND confrelid NOT IN (SELECT name FROM distributed))
          OR confdeltype IN ('n', 'd') OR confupdtype <> 'a')
      $$;

      CREATE FUNCTION create_reference_table(t text) RETURNS void LANGUAGE sql AS $$
        INSERT INTO distributed VALUES (t::regclass, false)
      $$;

      CREATE FUNCTION create_distributed_table(t text, by text) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE wrong text := (SELECT string_agg(k, ', ') FROM refused_keys(t::regclass) AS k);
      BEGIN
        IF wrong IS NOT NULL THEN RAISE EXCEPTION 'cannot distribute %: %', t, wrong; END IF;
        IF by <> 'collection_id' THEN RAISE EXCEPTION 'wrong column %', by; END IF;
        INSERT INTO distributed VALUES (t::regclass, true);
      END $$;
      """
  }
}
