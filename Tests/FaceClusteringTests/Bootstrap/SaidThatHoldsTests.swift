import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

extension OnPostgres {
  /// What people said holds where density joins the clusters that it was about.
  @Suite struct SaidThatHoldsTests {
    /// Twelve faces of one person, six each of two others.
    private static let angles =
      Circle.person(at: 0, count: 12) + Circle.person(at: 90) + Circle.person(at: 200)
    /// A face of each of them.
    private static let (big, small, third) = ("face-0", "face-12", "face-18")

    private func run(
      settings: StageSettings = StageSettings(),
      _ body: (TestStage, _ before: [String: AssignmentRow]) async throws -> Void
    ) async throws {
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        try await body(test, try await test.faces())
      }
    }

    /// Faces all the way between the first two: density sees one cluster, and the larger one lives on.
    private func bridge(_ test: TestStage) async throws -> BootstrapReport {
      _ = try await test.stage.importFaces(
        Circle.file((8..<174).map { Double($0) / 2 }, prefix: "bridge"))
      let planned = try await test.stage.bootstrap(dryRun: true)
      let report = try await test.stage.bootstrap()
      #expect(planned.lineage == report.lineage)
      try await test.expectInvariants()
      return report
    }

    @Test(arguments: ["nothing", "merge", "person", "cluster"])
    func whatPeopleDrewOrHidIsNotMergedAway(deed: String) async throws {
      try await run { test, before in
        let face = try #require(before[Self.small])
        let (cluster, person) = (try #require(face.clusterID), try #require(face.personID))
        switch deed {
        case "merge":
          _ = try await test.stage.merge(
            persons: [person], into: try #require(before[Self.third]?.personID))
        case "person": _ = try await test.stage.hide(person: person)
        case "cluster": _ = try await test.stage.hide(cluster: cluster)
        default: break
        }
        let report = try await bridge(test)
        let after = try await test.faces()
        #expect((report.lineage.merged == 1) == (deed == "nothing"))
        #expect((after[Self.small]?.clusterID == cluster) == (deed != "nothing"))
        #expect(after[Self.big]?.clusterID == before[Self.big]?.clusterID)
        if deed == "merge" {
          #expect(after[Self.small]?.personID == after[Self.third]?.personID)
        }
      }
    }

    @Test func aFaceOfAVerifiedClusterStaysWhateverComesToIt() async throws {
      try await run { test, before in
        let cluster = try #require(before[Self.big]?.clusterID)
        _ = try await test.stage.verify(cluster: cluster)
        _ = try await test.stage.reject(
          externalIDs: [Self.big], from: .cluster(try #require(before[Self.small]?.clusterID)))
        #expect(try await bridge(test).lineage.merged == 1)
        // What nobody said is not said by the lineage, so the next run finds nothing against it, either.
        _ = try await test.stage.bootstrap()
        #expect(try await test.faces()[Self.big]?.clusterID == cluster)
        #expect(
          try await test.value(
            "SELECT count(*) FROM cluster_person_cannot_link WHERE created_by = 'lineage'") == "0")
      }
    }

    @Test func aClusterThatGoesOnAtAPersonIsForbiddenThereInAllClusters() async throws {
      try await run { test, before in
        let person = try #require(before[Self.big]?.personID)
        try await test.give(try #require(before[Self.third]?.clusterID), toPerson: person)
        _ = try await test.stage.reject(
          externalIDs: [Self.third], from: .cluster(try #require(before[Self.small]?.clusterID)))
        #expect(try await bridge(test).lineage.merged == 1)
        let after = try await test.faces()
        #expect(after[Self.third]?.status == "constrained")
        #expect(after["face-19"]?.personID == person)
      }
    }

    /// So little of the cluster is left that the lineage does not know it again.
    @Test func whatWasForbiddenHoldsWhereTheFacesAreThoughTheClusterDied() async throws {
      var settings = StageSettings()
      settings.secondaryThreshold = 0.65
      settings.continuationThreshold = 0.65
      try await run(settings: settings) { test, before in
        _ = try await test.stage.reject(externalIDs: [Self.small])
        let report = try await bridge(test)
        #expect(report.lineage.died == 1 && report.lineage.merged == 0)
        let heir = before[Self.big]?.clusterID
        // Nor does the next run forget it, to which the old cluster is nothing.
        for _ in 0..<2 {
          let after = try await test.faces()
          #expect(after["face-13"]?.clusterID == heir)
          #expect(after[Self.small]?.clusterID == nil)
          _ = try await test.stage.bootstrap()
        }
      }
    }

    @Test func aFaceThatTheFitDoesNotSeeLeavesWhatIsForbidden() async throws {
      try await run { test, before in
        var file = Circle.file([0.2], prefix: "tiny")
        file.faces[0].box = FaceBox(x: 0, y: 0, width: 10, height: 10)
        _ = try await test.stage.importFaces(file)
        _ = try await test.stage.assign()
        #expect(try await test.faces()["tiny-0"]?.clusterID == before[Self.big]?.clusterID)
        _ = try await test.stage.reject(
          externalIDs: ["tiny-0"], from: .cluster(try #require(before[Self.small]?.clusterID)))
        #expect(try await bridge(test).lineage.merged == 1)
        #expect(try await test.faces()["tiny-0"]?.clusterID == nil)
      }
    }

    /// The tiers did not know whom the fit would place, and it does not know whom they placed.
    @Test func ofAPhotoTheFittedFaceStaysAndTheArrivalIsNew() async throws {
      try await run { test, before in
        let person = try #require(before[Self.big])
        var late = Circle.file([0.2, 0.3], prefix: "late")
        for row in 0..<2 { late.faces[row].photo = "together" }
        let first = FaceFile(
          faces: [late.faces[0]], rows: [0], embeddings: late.embeddings.rows(0..<1))
        let second = FaceFile(
          faces: [late.faces[1]], rows: [0], embeddings: late.embeddings.rows(1..<2))
        _ = try await test.stage.importFaces(first)
        let arrival = once {
          _ = try await test.stage.importFaces(second)
          _ = try await test.stage.assign(
            externalIDs: ["late-1"], to: .cluster(try #require(person.clusterID)))
          try await test.pool.query(
            """
            UPDATE person_detection SET cluster_status = 'auto', assigned_tier = 'predict'
            WHERE external_id = 'late-1'
            """)
        }
        _ = try await test.stage.bootstrap { _ in
          arrival()
          return true
        }
        let after = try await test.faces()
        #expect(after["late-0"]?.personID == person.personID)
        #expect(after["late-1"]?.personID == nil && after["late-1"]?.status == nil)
      }
    }

    @Test func aLabelWhoseFacesAllStayElsewhereIsNoCluster() async throws {
      try await run { test, before in
        _ = try await bridge(test)
        let cluster = try #require(try await test.faces()[Self.big]?.clusterID)
        _ = try await test.stage.verify(cluster: cluster)
        _ = try await test.stage.deleteFaces(
          externalIDs: (0..<166).map { "bridge-\($0)" })
        let report = try await test.stage.bootstrap()
        #expect(report.lineage.split == 0 && report.lineage.born == 0)
        #expect(
          try await test.value("SELECT count(*) FROM cluster WHERE retired_at IS NULL")
            == "\(report.clusterCount)")
        #expect(
          try await test.value(
            "SELECT count(*) FROM cluster_lineage WHERE kind <> 'died' AND new_cluster_id IS NULL")
            == "0")
        #expect(try await test.faces()[Self.small]?.clusterID == cluster)
      }
    }

    /// The lock is held beside the pool: four bootstraps on four connections would wait for each other.
    @Test func aPoolOfOneConnectionSuffices() async throws {
      try await TestServer.shared.withFreshDatabase(maximumConnections: 1) { pool in
        let test = try await TestStage.open(pool, dimension: 4)
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        #expect(try await test.stage.bootstrap().clusterCount == 3)
      }
    }
  }
}
