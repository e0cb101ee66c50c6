import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// Two tenants in one database do not see each other.
  @Suite struct TwoCollectionsTests {
    private static let angles = [0.0, 90, 180].flatMap { Circle.person(at: $0) }

    /// Everything that the database holds of one collection, as text.
    private func everything(_ test: TestStage) async throws -> String {
      var result = ""
      for table in [
        "photo", "person", "person_detection", "face_embedding", "hdbscan_run", "cluster",
        "cluster_lineage", "assignment_event", "face_match_candidate", "detection_constraint",
        "cluster_person_cannot_link",
      ] {
        result +=
          try await test.value(
            "SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM \(table) t "
              + "WHERE collection_id = $1", [.int64(test.collection.id)]) ?? ""
      }
      return result
    }

    @Test func nothingThatOneDoesTouchesTheOther() async throws {
      try await TestStage.run(dimension: 4) { first in
        // The same external ids and photos, the same vectors.
        let second = try await TestStage.open(first.pool, collection: "others", dimension: 4)
        for test in [first, second] {
          _ = try await test.stage.importFaces(Circle.file(Self.angles))
          _ = try await test.stage.bootstrap()
        }
        let before = try await everything(second)
        let mine = try await first.faces()
        let theirs = try await second.faces()
        #expect(Set(mine.keys) == Set(theirs.keys))
        #expect(
          Set(mine.values.compactMap(\.clusterID))
            .isDisjoint(with: theirs.values.compactMap(\.clusterID)))

        // Everything that there is to do, in the first.
        _ = try await first.stage.importFaces(Circle.file([5, 45, 46, 47, 48, 49], prefix: "new"))
        _ = try await first.stage.assign()
        _ = try await first.stage.assign(force: true)
        let cluster = try #require(mine["face-0"]?.clusterID)
        _ = try await first.stage.assign(externalID: "face-6", to: .cluster(cluster))
        _ = try await first.stage.assign(externalID: "face-7", to: .newPerson(name: "Ann"))
        let person = try #require(mine["face-0"]?.personID)
        _ = try await first.stage.name(person: person, "Bob")
        let review = ReviewRepository(first.collection)
        let ids = try ["face-1", "face-2"].map { try #require(mine[$0]).detectionID }
        try await first.pool.withTransaction {
          try review.constrain(ids[0], ids[1], mustLink: false, actor: nil, on: $0)
          try review.forbid([(ids[0], cluster, person)], actor: nil, on: $0)
        }
        _ = try await first.stage.bootstrap()
        _ = try await first.stage.deleteFaces(externalIDs: ["face-3"])
        _ = try await first.stage.checkStaleness(now: 0)
        _ = try await first.stage.runs()
        #expect(try await everything(second) == before)
        try await second.expectInvariants()
        #expect(try await second.stage.counts().total == 18)
        #expect(try await second.stage.runs().count == 1)
        #expect(try await second.stage.people().allSatisfy { $0.name == nil })
      }
    }

    @Test func idsOfTheOtherCollectionDoNotExistHere() async throws {
      try await TestStage.run(dimension: 4) { first in
        let second = try await TestStage.open(first.pool, collection: "others", dimension: 4)
        for test in [first, second] {
          _ = try await test.stage.importFaces(Circle.file(Self.angles))
          _ = try await test.stage.bootstrap()
        }
        let foreign = try #require(try await second.faces()["face-0"])
        let (cluster, person) = (
          try #require(foreign.clusterID), try #require(foreign.personID)
        )
        let run = try #require(try await second.stage.runs().first?.id)
        await #expect(throws: StoreError.self) { try await first.stage.run(run) }
        await #expect(throws: StoreError.self) {
          try await first.stage.assign(externalID: "face-0", to: .cluster(cluster))
        }
        await #expect(throws: StoreError.self) {
          try await first.stage.assign(externalID: "face-0", to: .person(person))
        }
        await #expect(throws: StoreError.self) { try await first.stage.name(person: person, "X") }
        let collection = first.collection
        try await first.pool.withTransaction { connection in
          let detections = DetectionRepository(collection)
          let clusters = ClusterRepository(collection)
          let review = ReviewRepository(collection)
          #expect(
            try FaceReader(collection).faces(ids: [foreign.detectionID], on: connection).count == 0)
          #expect(
            try FaceReader(collection).embeddings(
              ofSorted: [foreign.detectionID], on: connection
            ).positions.isEmpty)
          #expect(try clusters.lock([cluster], on: connection).isEmpty)
          #expect(try !clusters.isLive(cluster, on: connection))
          #expect(try !clusters.live(on: connection).ids.contains(cluster))
          #expect(
            try detections.place(
              [Placement(detectionID: foreign.detectionID, status: .unassigned, tier: "pool")],
              runID: nil, on: connection) == [])
          #expect(try detections.lock(ids: [foreign.detectionID], on: connection).isEmpty)
          #expect(try detections.delete([foreign.detectionID], on: connection) == 0)
          try detections.reset([foreign.detectionID], runID: nil, on: connection)
          try detections.markInvalid([foreign.detectionID: "x"], runID: nil, on: connection)
          try clusters.retire([cluster], on: connection)
          try clusters.empty([cluster], on: connection)
          try clusters.update(
            [ClusterSum(id: cluster, faceCount: 0, sum: [0, 0, 0, 0])], on: connection)
          try review.expire(detections: [foreign.detectionID], on: connection)
          #expect(try review.expire(clusters: [cluster], on: connection) == [])
          try review.allow(
            detections: [foreign.detectionID], clusters: [cluster], persons: [person],
            on: connection)
          #expect(
            try review.persons(
              ofDetections: [foreign.detectionID],
              except: UndecidedFaces(ids: [], reassignableAbove: nil), on: connection
            ).isEmpty)
          try RunRepository(collection).fail(run, reason: "x", on: connection)
          #expect(try LineageRepository(collection).records(to: run, on: connection).isEmpty)
        }
        try await second.expectInvariants()
        #expect(try await second.faces()["face-0"] == foreign)
        // The keys themselves refuse what a repository could not even say.
        await #expect(throws: PostgresError.self) {
          try await first.pool.query(
            "UPDATE person_detection SET cluster_id = $1 WHERE collection_id = $2",
            [.int64(cluster), .int64(collection.id)])
        }
      }
    }
  }
}
