import FaceClustering
import PostgresClient
import Store
import Testing
import Vectors

extension OnPostgres {
  /// Collections at the edges: noise only, one face, one person, the same face again and again.
  @Suite struct BootstrapEdgeTests {
    @Test func strangersOnlyAreAllNoise() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.strangers.prefix(2))))
        let report = try await test.stage.bootstrap()
        #expect(report.noiseCount == 2)
        #expect(report.clusterCount == 0)
        #expect(try await test.stage.counts().byStatus == ["unassigned": 2])
        #expect(try await test.stage.people().isEmpty)
        let run = try await test.stage.run(try #require(report.runID))
        #expect(run.isActive && run.noiseCount == 2)
      }
    }

    @Test func oneFaceIsNoiseAndAnEmptyCollectionIsRefused() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let error = await #expect(throws: BootstrapError.self) { try await test.stage.bootstrap() }
        #expect(
          error?.description
            == "collection “faces” has no eligible face; `photodb import` brings some in")
        #expect(try await test.stage.runs().map(\.status) == ["failed"])
        _ = try await test.stage.importFaces(fixture.file([0]))
        let report = try await test.stage.bootstrap()
        #expect(report.noiseCount == 1)
        #expect(try await test.stage.counts().byStatus == ["unassigned": 1])
        // The model of one noise face predicts nothing, and the tiers go on.
        _ = try await test.stage.importFaces(fixture.file([1]))
        let assigned = try await test.stage.assign()
        #expect(assigned.unassigned == 1)
        #expect(assigned.tierOneSkipped == nil)
      }
    }

    @Test func aLibraryOfOnePersonIsOneCluster() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(fixture.people[0]))
        let report = try await test.stage.bootstrap()
        #expect(report.allowSingleCluster)
        #expect(report.clusterCount == 1)
        #expect(report.peopleCount == 1)
        #expect(report.noiseCount <= 3)
        // A root has an infinite radius: the upper clamp.
        #expect(try await test.value("SELECT epsilon FROM cluster") == "0.675")
        #expect(try await test.value("SELECT lambda_birth FROM cluster") == "0")
      }
    }

    @Test func identicalFacesHaveInfiniteLambdasEverywhere() async throws {
      try await TestStage.run(dimension: 4) { test in
        let angles = [Double](repeating: 10, count: 5) + [Double](repeating: 120, count: 4)
        _ = try await test.stage.importFaces(Circle.file(angles))
        let report = try await test.stage.bootstrap()
        #expect(report.clusterCount == 2)
        let faces = try await test.faces()
        #expect(faces.values.allSatisfy { $0.lambda == .infinity })
        #expect(faces.values.allSatisfy { $0.status == "hdbscan_core" })
        #expect(faces.values.allSatisfy { $0.confidence == 1 && $0.outlierScore == 0 })
        let tree = try #require(try await test.value("SELECT condensed_tree FROM hdbscan_run"))
        #expect(tree.contains("\"lambda_death\": \"Infinity\""))
        // The model with its infinities comes back and places a tenth face of the same kind.
        _ = try await test.stage.importFaces(Circle.file([10, 121], prefix: "new"))
        let arrivals = try await test.stage.assign()
        #expect(arrivals.tierOneSkipped == nil)
        #expect(arrivals.assigned.predict == 2)
        let after = try await test.faces()
        #expect(after["new-0"]?.clusterID == after["face-0"]?.clusterID)
        #expect(after["new-0"]?.confidence == 1)
        #expect(after["new-1"]?.clusterID == after["face-5"]?.clusterID)
        // And a second run with infinite values on both sides changes nothing but the newcomers.
        #expect(try await test.stage.bootstrap().moved == 0)
      }
    }

    @Test func nothingButOneFaceManyTimes() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([Double](repeating: 77, count: 6)))
        let report = try await test.stage.bootstrap()
        #expect(report.allowSingleCluster)
        #expect(report.clusterCount == 1)
        #expect(report.noiseCount == 0)
        let persistence = try await test.value("SELECT persistence FROM cluster")
        #expect(persistence.flatMap(Double.init)?.isNaN == false)
      }
    }
  }
}
