import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

extension RepositoriesOnPostgres {
  /// A server that counted tables when they were all but empty checks keys by reading them whole.
  @Suite struct PlannerStatisticsTests {
    /// Each key once, and what counting looks at; reading all rows for each would be millions.
    private static let few: Int64 = 30_000

    @Test func aLargeImportChecksKeysByTheirIndex() async throws {
      try await StoredCollection.run { stored in
        let read = try await stored.pool.withTransaction { connection in
          try connection.query("ANALYZE photo, person_detection")
          // From the sixth check on a session keeps its plan.
          try importFaces(10, "few", into: stored, on: connection)
          let before = try Self.rowsRead(on: connection)
          try importFaces(3_000, "many", into: stored, on: connection)
          return try Self.rowsRead(on: connection, since: before)
        }
        #expect(read["photo"] ?? 0 < Self.few)
        #expect(read["person_detection"] ?? 0 < Self.few)
      }
    }

    @Test func aLargeBootstrapChecksKeysByTheirIndex() async throws {
      try await StoredCollection.run { stored in
        let read = try await stored.pool.withTransaction { connection in
          try importFaces(3_000, "many", into: stored, on: connection)
          try connection.query("ANALYZE person, cluster")
          try makeClusters(10, in: stored, on: connection)
          let before = try Self.rowsRead(on: connection)
          try makeClusters(3_000, in: stored, on: connection)
          return try Self.rowsRead(on: connection, since: before)
        }
        #expect(read["person"] ?? 0 < Self.few)
        #expect(read["cluster"] ?? 0 < Self.few)
      }
    }

    @Test func aCollectionThatStatisticsLackIsNotComparedRowByRow() async throws {
      try await StoredCollection.run { known in
        try await known.pool.withTransaction { connection in
          try importFaces(2_000, "known", into: known, on: connection)
          try connection.query("ANALYZE photo, person_detection, face_embedding, cluster, person")
        }
        let stored = try await StoredCollection.make(known.pool, name: "unknown")
        try await known.pool.withTransaction { connection in
          try importFaces(8_000, "many", into: stored, on: connection)
          let ids = try DetectionRepository(stored.collection).states(on: connection).map(\.id)
          // Sixty million comparisons take longer by far.
          try connection.query("SET LOCAL statement_timeout = '5s'")
          let detections = DetectionRepository(stored.collection)
          let placed = try detections.place(
            ids.map {
              Placement(
                detectionID: $0, status: .auto, clusterID: stored.cluster, confidence: 0.5,
                tier: "predict")
            }, runID: stored.run, on: connection)
          #expect(placed == ids)
          try detections.reset(ids, runID: stored.run, on: connection)
          try detections.markInvalid(
            Dictionary(uniqueKeysWithValues: ids.map { ($0, "zero") }), runID: stored.run,
            on: connection)
          let counts = try detections.counts(on: connection)
          #expect(counts.byStatus == ["invalid": ids.count])
        }
      }
    }

    @Test func whoMayNotCountDoesWithout() async throws {
      let log = CollectedLog()
      try await TestServer.shared.withFreshDatabase(logger: log.logger) { pool in
        let stored = try await StoredCollection.make(pool, name: "faces")
        try await pool.withTransaction { connection in
          try connection.query("ANALYZE photo, person_detection")
          try importFaces(3_000, "many", into: stored, on: connection)
          // It may read everything and owns nothing.
          try connection.query("SET LOCAL ROLE pg_read_all_data")
          try PlannerStatistics.refresh(imported: 3_000, on: connection)
        }
        #expect(log.lines.filter { $0.hasPrefix("warning") } == [])
      }
    }

    /// Imports faces, each in a photo of its own.
    private func importFaces(
      _ count: Int, _ name: String, into stored: StoredCollection,
      on connection: isolated PostgresConnection
    ) throws {
      try FaceImportRepository(stored.collection).insert(
        (0..<count).map { IncomingFace(externalID: "\(name)\($0)", photo: "\(name)\($0)") },
        rows: Array(0..<count), embeddings: Matrix((0..<count).map { _ in [1, 0] }),
        norms: [Float](repeating: 1, count: count), on: connection)
    }

    /// Makes clusters of one face each.
    private func makeClusters(
      _ count: Int, in stored: StoredCollection, on connection: isolated PostgresConnection
    ) throws {
      let facts = ClusterFacts(
        faceCount: 1, coreCount: 0, sum: [1, 0], reference: [1, 0], medoidDetectionID: nil,
        epsilon: CosineDistance(0.3), distanceQuantiles: [0], lambdaBirth: .infinity,
        persistence: 1, origin: "bootstrap")
      let clusters = try BootstrapStaging(stored.collection).create(
        [ClusterFacts](repeating: facts, count: count),
        persons: [Int64?](repeating: nil, count: count), runID: stored.run, on: connection)
      try connection.query(
        """
        UPDATE person_detection d SET cluster_id = c.id, person_id = c.person_id,
          cluster_status = 'hdbscan'
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM person_detection
            WHERE external_id LIKE 'many%') f
          JOIN (SELECT id, person_id, row_number() OVER (ORDER BY id) AS number FROM cluster
            WHERE id = ANY($1)) c USING (number)
        WHERE d.id = f.id
        """, [.int64Array(clusters)])
    }

    private static func rowsRead(
      on connection: isolated PostgresConnection, since before: [String: Int64] = [:]
    ) throws -> [String: Int64] {
      var read: [String: Int64] = [:]
      for row in try connection.query(
        """
        SELECT relname::text, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
        FROM pg_stat_xact_user_tables
        """)
      {
        let table = try row.text(0)
        read[table] = try row.int64(1) - (before[table] ?? 0)
      }
      return read
    }
  }
}
