import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// What becomes of a face does not depend on how the stream was cut.
  @Suite struct StreamTests {
    /// Seven faces of everyone are fitted; the rest and the strangers arrive, a few to a photo.
    private func arrivals(_ fixture: FaceFixture) -> (early: FaceFile, late: FaceFile) {
      let early = fixture.people.flatMap { $0.prefix(7) }.sorted()
      let late = fixture.identities.indices.filter { !early.contains($0) }
      var file = fixture.file(late)
      for index in file.faces.indices { file.faces[index].photo = "late-\(index % 70)" }
      return (fixture.file(early), file)
    }

    private struct Outcome: Equatable {
      var status: String?
      var cluster: Int64?
      var tier: String?
      var confidence: Float?
    }

    private func outcomes(
      batch: Int, force: Bool = false, settings: StageSettings
    ) async throws -> ([String: Outcome], AssignmentReport) {
      let fixture = try FaceFixture.load()
      let (early, late) = arrivals(fixture)
      return try await TestStage.run(settings: settings) { test in
        _ = try await test.stage.importFaces(early)
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(late)
        var report = try await test.stage.assign(batchSize: batch)
        if force { report = try await test.stage.assign(force: true, batchSize: batch) }
        let faces = try await test.faces().mapValues {
          Outcome(
            status: $0.status, cluster: $0.clusterID, tier: $0.tier, confidence: $0.confidence)
        }
        return (faces, report)
      }
    }

    @Test func batchesOfAnySizeGiveTheSame() async throws {
      // The pool may form clusters between batches; it is left out.
      var settings = StageSettings()
      settings.unassignedClusterThreshold = 10_000
      let (whole, report) = try await outcomes(batch: 5_000, settings: settings)
      #expect(report.total == 572 - 36 * 7)
      #expect(report.assigned.predict > 100)
      #expect(report.assigned.pool == 0)
      for size in [1, 7, 64] {
        let (cut, counts) = try await outcomes(batch: size, settings: settings)
        #expect(cut == whole)
        #expect(counts.assigned.predict == report.assigned.predict)
        #expect(counts.assigned.epsilonBall == report.assigned.epsilonBall)
        #expect(counts.pending == report.pending)
        #expect(counts.unassigned == report.unassigned)
      }
      let (forced, again) = try await outcomes(batch: 5_000, force: true, settings: settings)
      #expect(forced.filter { $0.value.tier == "bootstrap" }.count > 200)
      let (forcedCut, againCut) = try await outcomes(batch: 3, force: true, settings: settings)
      #expect(forcedCut == forced)
      #expect(againCut.assigned.predict == again.assigned.predict)
    }

    @Test func assigningTwiceChangesNothing() async throws {
      let fixture = try FaceFixture.load()
      let (early, late) = arrivals(fixture)
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(early)
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(late)
        let first = try await test.stage.assign()
        #expect(first.total == late.faces.count)
        let before = try await test.fingerprint()
        let second = try await test.stage.assign()
        #expect(second.total == 0)
        #expect(try await test.fingerprint() == before)
        // By force everything that was decided incrementally is decided again, and settles.
        _ = try await test.stage.assign(force: true)
        try await test.expectInvariants()
        let settled = try await test.fingerprint()
        let forced = try await test.stage.assign(force: true)
        #expect(forced.total >= late.faces.count - first.assigned.pool)
        #expect(try await test.fingerprint() == settled)
      }
    }

    @Test func workersAtOnceDecideEachFaceOnce() async throws {
      let fixture = try FaceFixture.load()
      let (early, late) = arrivals(fixture)
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(early)
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(late)
        let reports = try await withThrowingTaskGroup(of: AssignmentReport.self) { group in
          for _ in 0..<4 {
            group.addTask { try await test.reopened().stage.assign(batchSize: 11) }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        // What one of them put into the pool, another may have made a cluster of.
        let looked = reports.reduce(0) { $0 + $1.total }
        #expect(looked >= late.faces.count)
        #expect(try await test.stage.counts().byStatus["new"] == nil)
        #expect(
          try await test.value(
            """
            SELECT count(*) FROM (SELECT detection_id FROM assignment_event WHERE tier <> 'pool'
              OR new_cluster_id IS NULL GROUP BY 1 HAVING count(*) > 1) t
            """) == "0")
      }
    }

    @Test func mostArrivalsOfKnownPeopleFindThemAndStrangersDoNot() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let early = fixture.people.flatMap { $0.prefix(8) }.sorted()
        _ = try await test.stage.importFaces(fixture.file(early))
        _ = try await test.stage.bootstrap()
        let late = fixture.identities.indices.filter { !early.contains($0) }
        _ = try await test.stage.importFaces(fixture.file(late))
        let report = try await test.stage.assign()
        #expect(report.perFaceMilliseconds.p50 > 0)
        let faces = try await test.faces()
        // The person of a cluster is who most of its fitted faces are.
        var owners: [Int64: [Int: Int]] = [:]
        for row in early {
          guard let cluster = faces["face-\(row)"]?.clusterID else { continue }
          owners[cluster, default: [:]][fixture.identities[row], default: 0] += 1
        }
        let owner = owners.compactMapValues { $0.max { $0.value < $1.value }?.key }
        var right = 0
        var wrong = 0
        for row in late {
          guard let cluster = faces["face-\(row)"]?.clusterID else { continue }
          if owner[cluster] == fixture.identities[row] { right += 1 } else { wrong += 1 }
        }
        #expect(right > 115, "of 144")
        #expect(wrong <= 5)
      }
    }
  }
}
