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

    /// What people verified, or drew the boundary of, keeps its members, and they keep their places in photos.
    @Test(arguments: ["verified", "anchored"])
    func whatPeopleMarkedKeepsItsMembers(flag: String) async throws {
      var settings = StageSettings()
      settings.gateAbsolute = 0.55
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        var file = Circle.file([0.3, 90.2], prefix: "new")
        file.faces[1].photo = file.faces[0].photo
        _ = try await test.stage.importFaces(file)
        let faces = try await test.faces()
        let home = try #require(faces["face-0"]?.clusterID)
        let member = try #require(faces["new-1"]?.detectionID)
        let collection = test.collection
        // It was nearer once; the cluster is marked since.
        try await test.pool.withTransaction { connection in
          _ = try DetectionRepository(collection).place(
            [
              Placement(
                detectionID: member, status: .auto, clusterID: home, confidence: 1,
                tier: "epsilon_ball")
            ], runID: nil, on: connection)
          try MemberSums(collection: collection).recount([home], on: connection)
        }
        func mark(_ value: Bool) async throws {
          try await test.pool.query(
            "UPDATE cluster SET \(flag) = \(value), changed_in = pg_current_xact_id() WHERE id = $1",
            [.int64(home)])
        }
        try await mark(true)
        for batchSize in [1, 100] {
          _ = try await test.stage.assign(force: true, batchSize: batchSize)
          let kept = try await test.faces()
          #expect(kept["new-1"]?.clusterID == home && kept["new-1"]?.status == "auto")
          #expect(kept["new-0"]?.clusterID == nil)
          try await test.expectInvariants()
        }
        try await mark(false)
        _ = try await test.stage.assign(force: true)
        let moved = try await test.faces()
        #expect(moved["new-1"]?.clusterID == faces["face-6"]?.clusterID)
        #expect(moved["new-0"]?.clusterID == home)
      }
    }
  }
}
