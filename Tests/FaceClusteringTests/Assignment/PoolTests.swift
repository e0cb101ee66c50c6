import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing

extension OnPostgres {
  /// The pool: who waits, since when, and when a group becomes a cluster.
  @Suite struct PoolTests {
    @Test func fiveCloseFacesFormAClusterAndFourDoNot() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([10, 11, 12, 13], prefix: "a"))
        let four = try await test.stage.assign()
        #expect(four.tierOneSkipped == "there is no active run")
        #expect(four.unassigned == 4)
        #expect(four.newClusters == 0)
        let since = try await test.value(
          "SELECT max(unassigned_since) = min(unassigned_since) FROM person_detection")
        #expect(since == "true")
        _ = try await test.stage.importFaces(Circle.file([14], prefix: "b"))
        let fifth = try await test.stage.assign()
        #expect(fifth.newClusters == 1)
        #expect(fifth.assigned.pool == 5)
        #expect(fifth.unassigned == 0)
        let faces = try await test.faces()
        #expect(Set(faces.values.map(\.status)) == ["auto"])
        #expect(Set(faces.values.map(\.tier)) == ["pool"])
        #expect(
          try await test.value(
            "SELECT origin || ' ' || face_count || ' ' || epsilon FROM cluster")
            == "pool 5 0.315")
        // The middle face is the medoid, and the sixth joins by its ball.
        #expect(
          try await test.value(
            """
            SELECT d.external_id FROM cluster c JOIN person_detection d
              ON d.id = c.medoid_detection_id
            """) == "a-2")
        _ = try await test.stage.importFaces(Circle.file([15], prefix: "c"))
        #expect(try await test.stage.assign().assigned.epsilonBall == 1)
      }
    }

    @Test func aPassThatIsCancelledIsUndone() async throws {
      try await TestStage.run(dimension: 4) { test in
        let count = 20
        _ = try await test.stage.importFaces(
          Circle.file([Double](repeating: 10, count: count), prefix: "burst"))
        let stage = test.stage
        let assigning = Task {
          // Every face has its tier by then, and the pass over the pool is next.
          _ = try await stage.assign { done in
            if done == count { withUnsafeCurrentTask { $0?.cancel() } }
          }
        }
        await #expect(throws: CancellationError.self) { try await assigning.value }
        #expect(try await test.value("SELECT count(*) FROM cluster") == "0")
        #expect(
          try await test.value(
            "SELECT count(*) FROM person_detection WHERE pool_seed AND cluster_status = 'unassigned'"
          ) == "\(count)")
        #expect(try await stage.assign().newClusters == 1)
      }
    }

    @Test func aChainDoesNotFormACluster() async throws {
      try await TestStage.run(dimension: 4) { test in
        // Neighbours are 0.06 apart, the ends of any five 1.0; the radius is 0.315.
        _ = try await test.stage.importFaces(
          Circle.file([0, 20, 40, 60, 80, 100, 120], prefix: "chain"))
        let report = try await test.stage.assign()
        #expect(report.newClusters == 0)
        #expect(report.unassigned == 7)
      }
    }

    @Test func facesOfOnePhotoAndOppositesDoNotShareAGroup() async throws {
      try await TestStage.run(dimension: 4) { test in
        var file = Circle.file([10, 11, 12, 13, 14], prefix: "a")
        file.faces[0].photo = "group"
        file.faces[1].photo = "group"
        _ = try await test.stage.importFaces(file)
        #expect(try await test.stage.assign().newClusters == 0)
        _ = try await test.stage.importFaces(Circle.file([15], prefix: "b"))
        let ids = try await test.faces()
        let (one, other) = (try #require(ids["a-2"]), try #require(ids["b-0"]))
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.constrain(
            one.detectionID, other.detectionID, mustLink: false, actor: nil, on: $0)
        }
        #expect(try await test.stage.assign().newClusters == 0)
        _ = try await test.stage.importFaces(Circle.file([16], prefix: "c"))
        let report = try await test.stage.assign()
        #expect(report.newClusters == 1)
        #expect(report.assigned.pool == 5)
      }
    }

    @Test func sizesAreCountedAgainInsideTheTransaction() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([10, 11, 12, 13, 14], prefix: "a"))
        let holder = try await PostgresConnection.connect(
          test.pool.configuration, logger: TestServer.silentLogger)
        // Decide them first, with a minimum that nothing reaches.
        var settings = StageSettings()
        settings.unassignedClusterThreshold = 6
        let patient = try await test.reopened(settings: settings)
        #expect(try await patient.stage.assign().unassigned == 5)
        try await holder.execute(
          script: """
            BEGIN; SELECT 1 FROM person_detection WHERE external_id = 'a-2' FOR UPDATE;
            """)
        async let forced = test.stage.assign(force: true)
        // It skips the face that is held, reads a pool of five, and waits to lock them.
        try await eventually("assign waits for the face") {
          try await test.somebodyWaitsForALock()
        }
        try await holder.execute(
          script: """
            UPDATE person_detection SET cluster_status = 'invalid', invalid_reason = 'test',
              unassigned_since = NULL WHERE external_id = 'a-2';
            COMMIT;
            """)
        let report = try await forced
        await holder.close()
        #expect(report.newClusters == 0)
        #expect(try await test.stage.counts().byStatus == ["unassigned": 4, "invalid": 1])
      }
    }

    @Test func whatAnInterruptedRunLeftInThePoolIsTriedByTheNext() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([10, 11, 12, 13, 14], prefix: "a"))
        let stage = test.stage
        // The task ends after its first batches were committed.
        let task = Task {
          try await stage.assign(batchSize: 2) { done in
            if done == 5 { withUnsafeCurrentTask { $0?.cancel() } }
          }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await test.stage.counts().byStatus == ["unassigned": 5])
        let next = try await test.stage.assign()
        #expect(next.newClusters == 1)
        #expect(next.assigned.pool == 5)
        #expect(next.unassigned == 0)
      }
    }

    @Test func aThresholdOfOneMakesNobodyACluster() async throws {
      var settings = StageSettings()
      settings.unassignedClusterThreshold = 1
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(Circle.file([10, 100, 102]))
        let report = try await test.stage.assign()
        #expect(report.newClusters == 1)
        #expect(report.assigned.pool == 2)
      }
      let setting = try #require(
        StageSetting.all.first { $0.name == "UNASSIGNED_CLUSTER_THRESHOLD" })
      var target = StageSettings()
      #expect(!setting.write(&target, "1"))
      #expect(setting.write(&target, "2"))
    }

    @Test func aMedoidFollowsItsMembers() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180, 270].flatMap { Circle.person(at: $0, count: 8) }))
        _ = try await test.stage.bootstrap()
        let cluster = try #require(try await test.faces()["face-0"]?.clusterID)
        func medoid() async throws -> String? {
          try await test.value(
            """
            SELECT d.external_id FROM cluster c JOIN person_detection d
              ON d.id = c.medoid_detection_id WHERE c.id = $1
            """, [.int64(cluster)])
        }
        // Of eight faces around 0° those at ±0.25° are in the middle.
        #expect(try await medoid() == "face-3")
        // Two arrivals are a fifth of ten: not yet.
        _ = try await test.stage.importFaces(Circle.file([6, 6.5], prefix: "two"))
        #expect(try await test.stage.assign().assigned.predict == 2)
        #expect(try await medoid() == "face-3")
        _ = try await test.stage.importFaces(Circle.file([7, 7.5], prefix: "more"))
        #expect(try await test.stage.assign().assigned.predict == 2)
        // Four of twelve: the mean is at 2.25°, and the nearest member at 1.75°.
        #expect(try await medoid() == "face-7")
        // A medoid that is deleted is replaced at once.
        _ = try await test.stage.deleteFaces(externalIDs: ["face-7"])
        #expect(try await medoid() == "face-6")
      }
    }

    @Test func theFirstDateOfWaitingIsKept() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([10, 100, 200]))
        _ = try await test.stage.assign()
        try await test.pool.query(
          "UPDATE person_detection SET unassigned_since = '2020-02-02 00:00:00+00'")
        _ = try await test.stage.assign(force: true)
        _ = try await test.stage.bootstrap()
        #expect(
          try await test.value(
            """
            SELECT count(*) FROM person_detection
            WHERE unassigned_since = '2020-02-02 00:00:00+00' AND cluster_status = 'unassigned'
            """) == "3")
        // With a cluster the date goes.
        _ = try await test.stage.assign(externalID: "face-0", to: .newPerson(name: nil))
        #expect(
          try await test.value(
            "SELECT count(*) FROM person_detection WHERE unassigned_since IS NULL") == "1")
      }
    }

    @Test func anUnusableEmbeddingIsSetAsideWithItsReason() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([10, 20]))
        try await test.pool.query(
          """
          UPDATE face_embedding SET embedding = decode(repeat('00', 16), 'hex')
          WHERE detection_id = (SELECT min(id) FROM person_detection)
          """)
        let report = try await test.stage.assign()
        #expect(report.invalid == 1)
        #expect(report.unassigned == 1)
        #expect(try await test.faces()["face-0"]?.status == "invalid")
        #expect(
          try await test.value("SELECT invalid_reason FROM person_detection WHERE id = 1")
            == "the embedding is all zero")
        // It is no point of a fit, and not tried again.
        #expect(try await test.stage.bootstrap().embeddingCount == 1)
        #expect(try await test.stage.assign(force: true).invalid == 0)
      }
    }
  }
}
