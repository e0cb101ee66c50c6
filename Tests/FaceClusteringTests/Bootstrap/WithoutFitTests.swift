import HDBSCAN
import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// People out of the hierarchy of the run in charge, with no second fit.
  @Suite struct WithoutFitTests {
    @Test func nothingNewChangesNothing() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        let first = try await test.stage.bootstrap()
        let before = try await test.faces()
        for _ in 0..<2 {
          let again = try await test.stage.bootstrap(withoutFit: true)
          // Of the run that made the fit, not of the one before.
          #expect(again.fitOfRun == first.runID && first.fitOfRun == nil)
          #expect(again.embeddingCount == first.embeddingCount && again.filteredCount == 0)
          #expect(again.lineage.continued == first.clusterCount && again.moved == 0)
          #expect(again.peopleCount == first.peopleCount)
        }
        #expect(try await test.faces() == before)
        let kept = try await test.value(
          """
          SELECT count(DISTINCT clusterer_state) = 1 AND count(*) = 3
            AND min(metrics ->> 'fit_of_run') = max(metrics ->> 'fit_of_run') FROM hdbscan_run
          """)
        #expect(kept == "true")
        #expect(try await test.stage.checkStaleness(now: 0).status == .fresh)
      }
    }

    /// Later faces join by evidence; clusters that came since keep their ids; what people said holds.
    @Test func whatCameSinceIsPlacedAndKept() async throws {
      let fixture = try FaceFixture.load()
      let unknown = fixture.people[0]
      let later =
        fixture.people.dropFirst().flatMap { $0.suffix(4) } + unknown
        + fixture.strangers.suffix(30)
      let early = fixture.identities.indices.filter { !Set(later).contains($0) }
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(early))
        let first = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(fixture.file(later))
        _ = try await test.stage.assign()
        _ = try await test.stage.maintain([.pool])
        let born = try #require(try await test.faces()["face-\(unknown[0])"]?.clusterID)
        let placed = try await test.faces()
        let shape =
          "SELECT (origin, core_count, lambda_birth, persistence) FROM cluster WHERE id = $1"
        let found = try await test.value(shape, [.int64(born)])
        let refused = later[8]
        let person = try #require(placed["face-\(refused)"]?.personID)
        _ = try await test.stage.reject(externalIDs: ["face-\(refused)"])
        let planned = try await test.stage.bootstrap(dryRun: true, withoutFit: true)
        let report = try await test.stage.bootstrap(withoutFit: true)
        #expect(planned.filteredPlaced == report.filteredPlaced && planned.moved == report.moved)
        #expect(report.embeddingCount == early.count && report.filteredCount == later.count)
        #expect(report.filteredPlaced >= 35 * 4 - 6)
        #expect(report.lineage.continued == first.clusterCount && report.lineage.kept == 1)
        let after = try await test.faces()
        #expect(unknown.allSatisfy { after["face-\($0)"]?.clusterID == born })
        // It is what it was: what the old fit does not know of it is no news.
        let kept = try await test.value(shape, [.int64(born)])
        #expect(kept == found && kept?.contains("bootstrap") == false)
        #expect(after["face-\(refused)"]?.personID != person)
        var (wrong, known) = (0, 0)
        for row in later where !unknown.contains(row) {
          guard let person = after["face-\(row)"]?.personID else { continue }
          known += 1
          let own = fixture.people.first { $0.contains(row) } ?? []
          if !own.contains(where: { $0 != row && after["face-\($0)"]?.personID == person }) {
            wrong += 1
          }
        }
        #expect(wrong == 0 && known >= 35 * 4 - 6)
        // The fit is as old as it was.
        let staleness = try await test.stage.checkStaleness(now: 0)
        #expect(staleness.signals.contains { $0.name == "growth" && $0.fired })
        // And a fit of everything goes on with the same clusters.
        let whole = try await test.stage.bootstrap()
        #expect(whole.fitOfRun == nil && whole.embeddingCount == fixture.identities.count)
        #expect(try await test.faces()["face-\(unknown[0])"]?.clusterID == born)
      }
    }

    @Test func whatHasNoFitIsRefused() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        func refused(_ stage: FaceClustering, _ reason: String) async throws {
          let runs = "SELECT max(id) FILTER (WHERE is_active) + count(*) FROM hdbscan_run"
          let before = try await test.value(runs)
          await #expect {
            _ = try await stage.bootstrap(withoutFit: true)
          } throws: {
            "\($0)".contains(reason)
          }
          // What is refused is no run.
          #expect(try await test.value(runs) == before)
        }
        _ = try await test.stage.importFaces(fixture.file(Array(0..<200)))
        await #expect {
          _ = try await test.stage.bootstrap(withoutFit: true)
        } throws: {
          "\($0)".contains("no run whose fit could be used")
        }
        _ = try await test.stage.bootstrap()
        var settings = test.stage.settings
        settings.minSamples = 4
        try await refused(
          try await test.reopened(settings: settings).stage, "HDBSCAN_MIN_SAMPLES")
        settings = test.stage.settings
        settings.minFaceSizePixels = 20
        try await refused(
          try await test.reopened(settings: settings).stage, "MIN_FACE_SIZE_PX")
        #expect(try await test.stage.deleteFaces(externalIDs: ["face-3"]) == 1)
        try await refused(test.stage, "1 of the faces")
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.bootstrap(withoutFit: true)
      }
    }

    /// The settings of extraction are free; those of distance are not.
    @Test func otherSettingsOfTheExtraction() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        _ = try await test.stage.bootstrap()
        var settings = test.stage.settings
        settings.clusterExtraction = .density
        settings.minClusterSize = 6
        let stage = try await test.reopened(settings: settings).stage
        let old = try await stage.bootstrap(dryRun: true, withoutFit: true)
        let new = try await stage.bootstrap(dryRun: true)
        #expect(old.clusterCount == new.clusterCount && old.noiseCount == new.noiseCount)
      }
    }
  }
}
