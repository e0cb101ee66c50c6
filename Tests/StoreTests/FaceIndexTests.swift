import PostgresClient
import Store
import TestSupport
import Testing

extension RepositoriesOnPostgres {
  /// Indexes of `person_detection`: what touches them, and what reads by them.
  @Suite struct FaceIndexTests {
    /// Rows that this connection read and nobody has counted yet.
    private static func rowsRead(
      of table: String, on connection: isolated PostgresConnection
    ) throws -> Int64 {
      try connection.query(
        """
        SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
        FROM pg_stat_xact_user_tables WHERE relname = $1
        """, [.text(table)]
      ).single().int64(0)
    }

    /// However old the statistics are, a claim looks at the embeddings of the faces it takes.
    @Test func aClaimOfFewReadsFew() async throws {
      try await StoredCollection.run { stored in
        try await stored.pool.query(
          """
          WITH face AS (
            INSERT INTO person_detection (collection_id, external_id, face_x, face_y, face_width,
              face_height, face_confidence)
            SELECT collection_id, 'more-' || number, face_x, face_y, face_width, face_height,
              face_confidence
            FROM (SELECT * FROM person_detection LIMIT 1) AS one,
              generate_series(1, 20000) AS number
            RETURNING collection_id, id)
          INSERT INTO face_embedding (collection_id, detection_id, embedding_dim, embedding_model,
            embedding, norm)
          SELECT face.collection_id, face.id, embedding_dim, embedding_model, embedding, norm
          FROM face, (SELECT * FROM face_embedding LIMIT 1) AS one
          """)
        // All new when the server last counted, and all but a few are placed since.
        try await stored.pool.query("ANALYZE person_detection, face_embedding")
        try await stored.pool.query(
          """
          UPDATE person_detection SET cluster_status = 'unassigned'
          WHERE cluster_status IS NULL AND id % 2000 <> 0
          """)
        let reader = FaceReader(stored.collection)
        let (claimed, read) = try await stored.pool.withTransaction { connection in
          let claimed = try reader.claim(limit: 5_000, force: false, after: 0, on: connection)
          return (claimed.count, try Self.rowsRead(of: "face_embedding", on: connection))
        }
        #expect(claimed == 10)
        #expect(read <= 20)
      }
    }

    /// However old the statistics are, nobody looks through the pool for what is to be done there.
    @Test func aLookForWorkInThePoolReadsNoneOfIt() async throws {
      try await StoredCollection.run { stored in
        try await stored.pool.query(
          """
          INSERT INTO person_detection (collection_id, external_id, face_x, face_y, face_width,
            face_height, face_confidence, cluster_status, pool_seed, pooled_in)
          SELECT collection_id, 'more-' || number, face_x, face_y, face_width, face_height,
            face_confidence, CASE WHEN number % 2 = 0 THEN 'unassigned' END, true,
            pg_current_xact_id()
          FROM (SELECT * FROM person_detection LIMIT 1) AS one, generate_series(1, 20000) AS number
          """)
        // More were seeds than in the pool when the server last counted, and none is now.
        try await stored.pool.query("ANALYZE person_detection")
        try await stored.pool.query("UPDATE person_detection SET pool_seed = false")
        let ids = try await stored.pool.query(
          "SELECT id FROM person_detection WHERE cluster_status = 'unassigned' LIMIT 2"
        ).map { try $0.int64(0) }
        let detections = DetectionRepository(stored.collection)
        // Whoever looks first finds what is left of them in the index.
        _ = try await stored.pool.withTransaction { try detections.poolWork(on: $0) }
        let (work, read) = try await stored.pool.withTransaction { connection in
          let before = try Self.rowsRead(of: "person_detection", on: connection)
          let work = try detections.poolWork(on: connection)
          _ = try detections.lockPool(ids, on: connection)
          try detections.clearPoolSeeds(ids, alone: false, on: connection)
          return (work, try Self.rowsRead(of: "person_detection", on: connection) - before)
        }
        #expect(work.seeds.isEmpty)
        #expect(read < 100)
      }
    }

    /// However old the statistics are, nobody reads all faces to hear that none is new.
    @Test func aLookForNewFacesReadsNoOthers() async throws {
      try await StoredCollection.run { stored in
        try await stored.pool.query(
          """
          INSERT INTO person_detection (collection_id, external_id)
          SELECT \(stored.collection.id), 'more-' || number FROM generate_series(1, 20000) AS number
          """)
        // All new and seeds when the server last counted, and none is now.
        try await stored.pool.query("UPDATE person_detection SET pool_seed = true")
        try await stored.pool.query("ANALYZE person_detection")
        try await stored.pool.query(
          """
          UPDATE person_detection SET pool_seed = false,
            cluster_status = coalesce(cluster_status, 'unassigned')
          """)
        try await stored.pool.query("REINDEX TABLE person_detection")
        let read = try await stored.pool.withTransaction { connection in
          let before = try Self.rowsRead(of: "person_detection", on: connection)
          try JobQueue().enqueueIfFacesAreNew(stored.collection, on: connection)
          #expect(try JobQueue().enqueueForgotten(collections: nil, on: connection) == 0)
          #expect(
            try !DetectionRepository(stored.collection).poolWork(on: connection).hasBareFaces)
          return try Self.rowsRead(of: "person_detection", on: connection) - before
        }
        #expect(read < 100)
      }
    }

    /// What indexes ask for follows the status, and a status within a cluster changes none of it.
    @Test func aStatusWithinAClusterTouchesNoIndex() async throws {
      try await StoredCollection.run { stored in
        let named = try await stored.pool.query(
          """
          SELECT indexrelid::regclass::text FROM pg_index
          WHERE indrelid = 'person_detection'::regclass
            AND pg_get_indexdef(indexrelid) LIKE '%cluster_status%'
          """
        ).map { try $0.text(0) }
        #expect(named == [])
        let counts = """
          SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables
          WHERE relname = 'person_detection'
          """
        try await stored.pool.withTransaction { connection in
          let before = try connection.query(counts).single()
          let moved = try connection.query(
            """
            UPDATE person_detection SET lambda_val = 2, cluster_status =
              CASE cluster_status WHEN 'auto' THEN 'hdbscan' ELSE 'auto' END
            WHERE cluster_id IS NOT NULL
            """
          ).affectedRows
          let after = try connection.query(counts).single()
          #expect(moved > 0)
          #expect(try after.int64(0) - before.int64(0) == Int64(moved))
          #expect(try after.int64(1) - before.int64(1) == Int64(moved))
        }
      }
    }

    @Test func whatIndexesAskForFollowsTheStatus() async throws {
      try await StoredCollection.run { stored in
        let face = stored.faces[0]
        for status in [nil] + DetectionStatus.allCases.map(Optional.some) {
          try await stored.pool.query(
            """
            UPDATE person_detection d SET cluster_status = $2,
              cluster_id = CASE WHEN $3 THEN c.id END, person_id = CASE WHEN $3 THEN c.person_id END,
              invalid_reason = CASE WHEN $2 = 'invalid' THEN 'test' END
            FROM (SELECT id, person_id FROM cluster LIMIT 1) c WHERE d.id = $1
            """,
            [.int64(face), .optional(status?.rawValue), .bool(status?.isAssigned ?? false)])
          let row = try await stored.pool.query(
            "SELECT is_new, in_pool, is_pending FROM person_detection WHERE id = $1",
            [.int64(face)]
          ).single()
          #expect(try row.bool(0) == (status == nil))
          #expect(try row.bool(1) == (status == .unassigned || status == .constrained))
          #expect(try row.bool(2) == (status == .pending))
        }
      }
    }
  }
}
