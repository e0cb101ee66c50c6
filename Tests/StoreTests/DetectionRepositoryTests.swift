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
