import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// What two workers decide at the same moment obeys the gates as if one had come after the other.
  @Suite struct RaceTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    /// Two workers, one face a batch, over pairs that lie side by side in the stream.
    private func race(
      _ test: TestStage, _ file: FaceFile, prepare: ([Int64]) async throws -> Void = { _ in }
    ) async throws {
      let workers = [try await test.reopened().stage, try await test.reopened().stage]
      // Both have the model in memory before they start.
      for worker in workers {
        _ = try await worker.importFaces(Circle.file([1], prefix: "warm"))
        _ = try await worker.assign()
        _ = try await worker.deleteFaces(externalIDs: ["warm-0"])
      }
      _ = try await test.stage.importFaces(file)
      try await prepare(try await newcomers(test))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in workers {
          group.addTask { _ = try await worker.assign(batchSize: 1) }
        }
        try await group.waitForAll()
      }
    }

    /// Pairs of arrivals near one person; photo `pair-i` holds faces `new-2i` and `new-(2i+1)`.
    private func pairs(_ count: Int, samePhoto: Bool) -> FaceFile {
      var file = Circle.file(
        (0..<2 * count).map { 2 + 0.05 * Double($0 % 60) }, prefix: "new")
      if samePhoto {
        for index in file.faces.indices { file.faces[index].photo = "pair-\(index / 2)" }
      }
      return file
    }

    private func newcomers(_ test: TestStage) async throws -> [Int64] {
      try await test.faces().values.filter { $0.externalID.hasPrefix("new-") }
        .map(\.detectionID).sorted()
    }

    @Test func twoFacesOfOnePhotoDoNotMeetInOnePerson() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        for round in 0..<2 {
          try await race(test, pairs(40, samePhoto: true))
          let doubled = try await test.value(
            """
            SELECT count(*) FROM (SELECT photo_id, person_id FROM person_detection
              WHERE person_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1) t
            """)
          #expect(doubled == "0", "round \(round)")
          #expect(try await test.stage.counts().byStatus["new"] == nil)
          _ = try await test.stage.deleteFaces(externalIDs: (0..<80).map { "new-\($0)" })
        }
      }
    }

    @Test func twoFacesThatAreDifferentPeopleDoNotMeet() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        let review = ReviewRepository(test.collection)
        for round in 0..<2 {
          try await race(test, pairs(40, samePhoto: false)) { ids in
            try await test.pool.withTransaction { connection in
              for pair in stride(from: 0, to: ids.count, by: 2) {
                try review.constrain(
                  ids[pair], ids[pair + 1], mustLink: false, actor: nil, on: connection)
              }
            }
          }
          let together = try await test.value(
            """
            SELECT count(*) FROM detection_constraint l
            JOIN person_detection a ON a.id = l.detection_a_id
            JOIN person_detection b ON b.id = l.detection_b_id
            WHERE a.person_id = b.person_id
            """)
          #expect(together == "0", "round \(round)")
          _ = try await test.stage.deleteFaces(externalIDs: (0..<80).map { "new-\($0)" })
        }
      }
    }

    @Test func handsAndWorkersAtOnceKeepCountsRight() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(pairs(30, samePhoto: true))
        let clusters = Set(try await test.faces().values.compactMap(\.clusterID)).sorted()
        let stage = test.stage
        try await withThrowingTaskGroup(of: Void.self) { group in
          for worker in 0..<2 {
            group.addTask {
              for _ in 0..<3 { _ = try await stage.assign(force: true, batchSize: 4 + worker) }
            }
          }
          group.addTask {
            for face in 0..<60 {
              _ = try await stage.assign(
                externalID: "new-\(59 - face)", to: .cluster(clusters[face % clusters.count]))
            }
          }
          group.addTask {
            for face in 0..<6 {
              _ = try await stage.deleteFaces(externalIDs: ["face-\(face * 4)"])
            }
          }
          try await group.waitForAll()
        }
        #expect(try await test.stage.counts().byStatus["manual"] == 60)
      }
    }
  }
}
