import PostgresClient
import Store
import TestSupport
import Testing

extension RepositoriesOnPostgres {
  /// The one place that changes `cluster_status`.
  @Suite struct DetectionRepositoryTests {
    @Test func everyStatusOfTheCodeIsOneOfTheTable() async throws {
      try await StoredCollection.run { stored in
        let definition = try #require(
          try await stored.value(
            """
            SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conname = 'person_detection_cluster_status_check'
            """))
        let words = definition.split(separator: "'").enumerated()
          .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        #expect(Set(words) == Set(DetectionStatus.allCases.map(\.rawValue)))
        #expect(!DetectionStatus.openToAlgorithms.contains(.manual))
        #expect(!DetectionStatus.openToAlgorithms.contains(.invalid))
        #expect(DetectionStatus.reassignable.isSubset(of: DetectionStatus.openToAlgorithms))
      }
    }

    @Test func facesThatPeoplePlacedAreLeftAlone() async throws {
      try await StoredCollection.run { stored in
        let detections = DetectionRepository(stored.collection)
        let moved = try await stored.pool.withTransaction { connection in
          try detections.placeByHand(
            [stored.faces[0]], clusterID: stored.cluster, actor: "ann", actionID: nil,
            on: connection)
          return try detections.place(
            stored.faces.map { Placement(detectionID: $0, status: .unassigned, tier: "pool") },
            runID: nil, on: connection)
        }
        #expect(moved == Array(stored.faces.dropFirst()))
        try await stored.pool.withTransaction {
          try detections.reset(stored.faces, runID: nil, on: $0)
          try detections.markInvalid([stored.faces[0]: "no"], runID: nil, on: $0)
        }
        let states = try await stored.pool.withTransaction { try detections.states(on: $0) }
        #expect(states[0].status == .manual)
        #expect(states[0].clusterID == stored.cluster)
        #expect(states.dropFirst().allSatisfy { $0.status == nil && $0.clusterID == nil })
      }
    }

    @Test func whatChangesNothingIsNoEvent() async throws {
      try await StoredCollection.run { stored in
        let detections = DetectionRepository(stored.collection)
        let events = "SELECT count(*) FROM assignment_event"
        let before = try await stored.value(events)
        let same = stored.faces.map {
          Placement(
            detectionID: $0, status: .hdbscan, clusterID: stored.cluster, confidence: 0.5,
            lambda: .infinity, outlierScore: 0, tier: "bootstrap")
        }
        let moved = try await stored.pool.withTransaction {
          try detections.place(same, runID: stored.run, on: $0)
        }
        #expect(moved == [])
        // Another confidence is a change, but nobody moved.
        var surer = same[0]
        surer.confidence = 0.75
        let changed = try await stored.pool.withTransaction { [surer] in
          try detections.place([surer], runID: stored.run, on: $0)
        }
        #expect(changed == [stored.faces[0]])
        #expect(try await stored.value(events) == before)
        try await stored.expectInvariants()
      }
    }

    @Test func onlyTheStatusesAskedForMove() async throws {
      try await StoredCollection.run { stored in
        let detections = DetectionRepository(stored.collection)
        let moved = try await stored.pool.withTransaction {
          try detections.place(
            stored.faces.map { Placement(detectionID: $0, status: .unassigned, tier: "pool") },
            runID: nil, only: [.pending, .auto], on: $0)
        }
        #expect(moved == [])
      }
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
          let read = try connection.query(
            """
            SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
            FROM pg_stat_xact_user_tables WHERE relname = 'face_embedding'
            """
          ).single().int64(0)
          return (claimed.count, read)
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
        try await stored.pool.query("REINDEX TABLE person_detection")
        let ids = try await stored.pool.query(
          "SELECT id FROM person_detection WHERE cluster_status = 'unassigned' LIMIT 2"
        ).map { try $0.int64(0) }
        let detections = DetectionRepository(stored.collection)
        let looks = """
          SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
          FROM pg_stat_xact_user_tables WHERE relname = 'person_detection'
          """
        let (work, read) = try await stored.pool.withTransaction { connection in
          let before = try connection.query(looks).single().int64(0)
          let work = try detections.poolWork(on: connection)
          _ = try detections.lockPool(ids, on: connection)
          try detections.clearPoolSeeds(ids, alone: false, on: connection)
          return (work, try connection.query(looks).single().int64(0) - before)
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
        let looks = """
          SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
          FROM pg_stat_xact_user_tables WHERE relname = 'person_detection'
          """
        let read = try await stored.pool.withTransaction { connection in
          let before = try connection.query(looks).single().int64(0)
          try JobQueue().enqueueIfFacesAreNew(stored.collection, on: connection)
          #expect(try JobQueue().enqueueForgotten(collections: nil, on: connection) == 0)
          #expect(
            try !DetectionRepository(stored.collection).poolWork(on: connection).hasBareFaces)
          return try connection.query(looks).single().int64(0) - before
        }
        #expect(read < 100)
      }
    }

    @Test func claimsSkipWhatAnotherWorkerHolds() async throws {
      try await StoredCollection.run { stored in
        let detections = DetectionRepository(stored.collection)
        let reader = FaceReader(stored.collection)
        try await stored.pool.withTransaction {
          try detections.reset(stored.faces, runID: nil, on: $0)
        }
        let holder = try await PostgresConnection.connect(
          stored.pool.configuration, logger: TestServer.silentLogger)
        try await holder.execute(
          script: "BEGIN; SELECT 1 FROM person_detection WHERE id <= 2 FOR UPDATE")
        let rest = try await stored.pool.withTransaction {
          try reader.claim(limit: 10, force: false, after: 0, on: $0).ids
        }
        await holder.close()
        #expect(rest == Array(stored.faces.dropFirst(2)))
      }
    }
  }
}
