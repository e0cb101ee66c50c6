import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Everything is decided again batch by batch, and the process may end between two of them.
  @Suite struct ForceTests {
    enum Apart: String, CaseIterable, Sendable { case onePhoto, cannotLink }

    @Test(arguments: Apart.allCases)
    func noBatchLeavesTwoFacesThatCannotBeOneWithOnePerson(apart: Apart) async throws {
      var settings = StageSettings()
      settings.gateAbsolute = 0.55
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        var file = Circle.file([0.3, 0.6, 90.2], prefix: "new")
        if apart == .onePhoto {
          for face in 1...2 { file.faces[face].photo = file.faces[0].photo }
        }
        _ = try await test.stage.importFaces(file)
        let faces = try await test.faces()
        let home = try #require(faces["face-0"]?.clusterID)
        let ids = try (0..<3).map { try #require(faces["new-\($0)"]?.detectionID) }
        // The second is with the person that the first belongs to, say because the first was set aside
        // once; the third is with somebody else.
        let collection = test.collection
        let elsewhere = try #require(faces["face-6"]?.clusterID)
        try await test.pool.withTransaction { connection in
          if apart == .cannotLink {
            try ReviewRepository(collection).constrain(
              ids[0], ids[1], mustLink: false, actor: nil, on: connection)
          }
          _ = try DetectionRepository(collection).place(
            [
              Placement(detectionID: ids[0], status: .unassigned, tier: "pool"),
              Placement(
                detectionID: ids[1], status: .auto, clusterID: home, confidence: 1,
                tier: "epsilon_ball"),
              Placement(
                detectionID: ids[2], status: .auto, clusterID: elsewhere, confidence: 1,
                tier: "epsilon_ball"),
            ], runID: nil, on: connection)
          try MemberSums(collection: collection).recount([home, elsewhere], on: connection)
        }
        try await test.expectInvariants()
        let assigner = Assigner(
          collection: collection, settings: settings, models: ModelCache(), threads: 1,
          force: true, batchSize: 1)
        var last: Int64 = 0
        while last < ids[0] {
          let after = last
          last = try await test.pool.withTransaction {
            try assigner.assign(after: after, on: $0).lastID
          }
        }
        // Here the process ends.
        #expect(last == ids[0])
        let half = try await test.faces()
        #expect(half["new-0"]?.clusterID == home)
        #expect(half["new-1"]?.clusterID == nil && half["new-1"]?.status == nil)
        #expect(half["new-2"]?.clusterID == elsewhere)
        try await test.expectInvariants()
        #expect(try await test.stage.jobs().count == 1)
        // What is left is a new face like any other.
        _ = try await test.stage.assign()
        let whole = try await test.faces()
        #expect(whole["new-1"]?.status != nil && whole["new-1"]?.clusterID != home)
        _ = try await test.stage.assign(force: true)
        let forced = try await test.faces()
        for face in 0..<3 {
          #expect(forced["new-\(face)"]?.clusterID == whole["new-\(face)"]?.clusterID)
        }
      }
    }
  }
}
