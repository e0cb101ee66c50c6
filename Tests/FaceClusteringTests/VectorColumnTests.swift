import FaceClustering
import PostgresClient
import TestSupport
import Testing
import Vectors

@testable import Store

extension OnPostgres {
  /// Embeddings that another program keeps in a pgvector column of the same database.
  @Suite struct VectorColumnTests {
    @Test(
      .enabled("pgvector is not installed on the test server (package postgresql-…-pgvector)") {
        try await VectorColumnTests.hasPgvector()
      })
    func facesOfPgvector() async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        try await pool.query("CREATE EXTENSION vector")
        for type in ["vector", "vector(3)"] {
          try await pool.query("DROP TABLE IF EXISTS \"Face\"")
          try await pool.query("CREATE TABLE \"Face\" (id int, photo text, \"the vector\" \(type))")
          try await pool.query(
            """
            INSERT INTO "Face" VALUES (1, 'a.jpg', '[1,2,-2]'), (2, NULL, '[0.25,0,0]'),
              (3, 'b.jpg', NULL), (NULL, 'c.jpg', '[1,1,1]')
            """)
          let column = try VectorColumn(
            "public.Face.the vector", idColumn: "id", photoColumn: "photo")
          let file = try await FaceFile.read(column, pool: pool)
          #expect(file.faces.map(\.externalID) == ["1", "2"])
          #expect(file.faces.map(\.photo) == ["a.jpg", nil])
          #expect(Self.rows(file.embeddings) == [[1, 2, -2], [0.25, 0, 0]])
          #expect(
            file.rejected == [
              RejectedRow(row: 2, reason: "the embedding is NULL"),
              RejectedRow(row: 3, reason: "the id is NULL"),
            ])
        }
      }
    }

    /// A domain over bytea sends the bytes that it is given: those that pgvector would send.
    @Test func bytesAsPgvectorSendsThem() async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        try await pool.query("CREATE DOMAIN vector AS bytea")
        try await pool.query("CREATE TABLE face (id text, embedding vector)")
        let column = try VectorColumn("face.embedding", idColumn: "id", photoColumn: nil)
        #expect(try await FaceFile.read(column, pool: pool).faces.isEmpty)
        try await pool.query(
          """
          INSERT INTO face VALUES
            ('x', '\\x000200003f800000c0200000'), ('y', '\\x000100003f800000'),
            ('z', '\\x0002000000000000ff800000')
          """)
        let file = try await FaceFile.read(column, pool: pool)
        #expect(file.faces.map(\.externalID) == ["x", "z"])
        #expect(file.rows == [0, 2])
        #expect(Self.rows(file.embeddings) == [[1, -2.5], [0, -.infinity]])
        #expect(
          file.rejected == [RejectedRow(row: 1, reason: "the embedding has 1 values, not 2")])
        try await pool.query("INSERT INTO face VALUES ('short', '\\x000200003f')")
        await #expect(throws: VectorColumnError.self) {
          try await FaceFile.read(column, pool: pool)
        }
      }
    }

    /// A snapshot keeps rows as they are, and not what a view makes of them.
    @Test(arguments: ["10 * look()", "100 - 10 * look()"])
    func aViewThatGivesOtherRowsEachTimeIsRefused(count: String) async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        try await pool.query("CREATE DOMAIN vector AS bytea")
        try await pool.query(
          """
          CREATE FUNCTION look() RETURNS int LANGUAGE sql AS $$
            SELECT set_config('photodb.looks',
              (coalesce(nullif(current_setting('photodb.looks', true), ''), '0')::int + 1)::text,
              true)::int
          $$
          """)
        try await pool.query(
          """
          CREATE VIEW face AS
          SELECT i::text AS id, '\\x000200003f800000c0200000'::bytea::vector AS embedding
          FROM generate_series(1, \(count)) AS i
          """)
        let column = try VectorColumn("face.embedding", idColumn: "id", photoColumn: nil)
        let error = await #expect(throws: VectorColumnError.self) {
          try await FaceFile.read(column, pool: pool)
        }
        #expect(error?.description.hasPrefix("face gives another number of rows each time") == true)
      }
    }

    @Test func otherColumnsAreRefused() async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        try await pool.query("CREATE TABLE face (id text, embedding real[])")
        for (path, complaint) in [
          ("face.embedding", "of type _float4"), ("face.vector", "has no column face.vector"),
          ("elsewhere.face.embedding", "has no column elsewhere.face.embedding"),
        ] {
          let error = await #expect(throws: VectorColumnError.self) {
            let column = try VectorColumn(path, idColumn: "id", photoColumn: nil)
            return try await FaceFile.read(column, pool: pool)
          }
          #expect(error?.description.contains(complaint) == true, "\(path): \(error as Any)")
        }
      }
    }

    @Test(arguments: ["", "embedding", "a..b", ".b", "a.", "a.b.c.d"])
    func wrongPaths(path: String) {
      #expect(throws: VectorColumnError.self) {
        try VectorColumn(path, idColumn: "id", photoColumn: nil)
      }
    }

    private static func rows(_ matrix: Matrix<Float>) -> [[Float]] {
      (0..<matrix.rows).map { row in (0..<matrix.columns).map { matrix.row(row)[$0] } }
    }

    private static func hasPgvector() async throws -> Bool {
      try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
        try await !pool.query("SELECT FROM pg_available_extensions WHERE name = 'vector'").isEmpty
      }
    }
  }
}
