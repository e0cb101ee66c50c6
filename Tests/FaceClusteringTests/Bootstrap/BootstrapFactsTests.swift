import HDBSCAN
import PostgresClient
import Store
import Testing
import Vectors

@testable import FaceClustering

extension OnPostgres {
  /// What a bootstrap writes is what the fit found, number by number.
  @Suite struct BootstrapFactsTests {
    private struct Fitted {
      var test: TestStage
      var run: Int64
      var ids: [Int64]
      var vectors: Matrix<Float>
      var clustering: Clustering
      var clusterOfLabel: [Int: Int64]
    }

    /// A bootstrap of all faces, beside the same fit in memory.
    private func fitted(_ body: (Fitted) async throws -> Void) async throws {
      let fixture = try FaceFixture.load()
      var settings = StageSettings()
      settings.clusterExtraction = .density
      try await TestStage.run(settings: settings) { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        let report = try await test.stage.bootstrap()
        let snapshot = try await test.stage.faces()
        let clustering = try HDBSCAN.fit(
          .float32(snapshot.embeddings), parameters: test.stage.settings.fitParameters)
        let run = try #require(report.runID)
        let map = try await test.value(
          "SELECT label_to_cluster_id FROM hdbscan_run WHERE id = $1", [.int64(run)])
        let labels = try JSONText.decode([String: Int64].self, from: try #require(map))
        #expect(report.embeddingCount == 572)
        #expect(report.clusterCount == clustering.selection.nodes.count)
        #expect(report.noiseCount == clustering.labels.count { $0 < 0 })
        #expect(report.lineage.born == report.clusterCount)
        #expect(!report.allowSingleCluster)
        try await body(
          Fitted(
            test: test, run: run, ids: snapshot.ids, vectors: snapshot.embeddings,
            clustering: clustering,
            clusterOfLabel: Dictionary(
              uniqueKeysWithValues: try labels.map { (try #require(Int($0)), $1) })))
      }
    }

    @Test func everyFaceHasItsLabelProbabilityLambdaAndScore() async throws {
      try await fitted { fitted in
        let faces = try await fitted.test.faces().values.sorted { $0.detectionID < $1.detectionID }
        #expect(faces.map(\.detectionID) == fitted.ids)
        for (row, face) in faces.enumerated() {
          let label = fitted.clustering.labels[row]
          let probability = fitted.clustering.probabilities[row]
          #expect(face.clusterID == (label < 0 ? nil : fitted.clusterOfLabel[label]))
          #expect(
            face.status
              == (label < 0 ? "unassigned" : probability >= 0.8 ? "hdbscan_core" : "hdbscan"))
          #expect(face.confidence == (label < 0 ? nil : Float(probability)))
          #expect(face.lambda == Float(fitted.clustering.pointLambdas[row]))
          #expect(face.outlierScore == Float(fitted.clustering.outlierScores[row]))
          #expect(face.tier == "bootstrap")
        }
      }
    }

    @Test func everyClusterHasItsRadiusMedoidAndCentroid() async throws {
      try await fitted { fitted in
        let births = fitted.clustering.tree.clusterBirths
        let selection = fitted.clustering.selection
        for (label, node) in selection.nodes.enumerated() {
          let id = try #require(fitted.clusterOfLabel[label])
          let row = try await fitted.test.pool.query(
            """
            SELECT epsilon, lambda_birth, persistence, medoid_detection_id, face_count, core_count,
              distance_quantiles, reference_centroid = centroid, hdbscan_run_id, origin
            FROM cluster WHERE id = $1
            """, [.int64(id)]
          ).single()
          let birth = births[node - fitted.clustering.tree.pointCount]
          // Euclidean radius 1/lambda, as a cosine distance, in [0.1, 1.5 × 0.45].
          let radius = birth > 0 ? 1 / (birth * birth) / 2 : .infinity
          #expect(try row.float("epsilon") == Float(min(max(radius, 0.1), 0.675)))
          #expect(try row.float("lambda_birth") == Float(birth))
          #expect(try row.float("persistence") == Float(selection.persistences[label]))
          let members = fitted.ids.indices.filter { fitted.clustering.labels[$0] == label }
          #expect(try row.int("face_count") == members.count)
          #expect(
            try row.int("core_count")
              == members.count { fitted.clustering.probabilities[$0] >= 0.8 })
          let totals = members.map { a in
            members.reduce(0.0) { $0 + 1 - fitted.vectors.dotProduct(a, $1) }
          }
          let medoid = try row.int64("medoid_detection_id")
          let position = try #require(members.firstIndex { fitted.ids[$0] == medoid })
          #expect(totals[position] <= (totals.min() ?? 0) + 1e-9)
          let quantiles = try row.floatArray("distance_quantiles")
          #expect(quantiles.count == 9)
          #expect(quantiles == quantiles.sorted())
          #expect(try row.bool(7))
          #expect(try row.int64("hdbscan_run_id") == fitted.run)
          #expect(try row.text("origin") == "bootstrap")
        }
      }
    }

    @Test func theRunRecordHoldsTreeLabelsAndModel() async throws {
      try await fitted { fitted in
        let runs = try await fitted.test.stage.runs()
        #expect(runs.map(\.id) == [fitted.run])
        #expect(runs[0].isActive)
        #expect(runs[0].status == "completed")
        #expect(runs[0].embeddingCount == 572)
        #expect(runs[0].minClusterSize == 3)
        #expect(runs[0].minSamples == 2)
        #expect((runs[0].peakMemoryBytes ?? 0) > 1_000_000)
        let text = try await fitted.test.value("SELECT condensed_tree FROM hdbscan_run")
        let nodes = try JSONText.decode([CondensedTreeNode].self, from: try #require(text))
        let tree = fitted.clustering.tree
        #expect(nodes == tree.summary(fitted.clustering.selection))
        #expect(nodes.count == tree.clusterCount)
        #expect(nodes[0].parent == nil)
        #expect(nodes.dropFirst().allSatisfy { $0.parent != nil })
        #expect(Set(nodes.compactMap(\.label)) == Set(fitted.clusterOfLabel.keys))
        // Every node has fewer points than its parent, and was born no earlier.
        let byID = Dictionary(uniqueKeysWithValues: nodes.map { ($0.node, $0) })
        for node in nodes.dropFirst() {
          let parent = try #require(node.parent.flatMap { byID[$0] })
          #expect(node.size < parent.size)
          #expect(node.lambdaBirth >= parent.lambdaBirth)
          #expect(node.lambdaDeath >= node.lambdaBirth)
        }
      }
    }

    @Test func peopleAreFoundWithoutStrangers() async throws {
      let fixture = try FaceFixture.load()
      try await fitted { fitted in
        var same = 0
        var pairs = 0
        for a in fixture.identities.indices {
          for b in fixture.identities.indices
          where a < b && fitted.clustering.labels[a] >= 0
            && fitted.clustering.labels[a] == fitted.clustering.labels[b]
          {
            pairs += 1
            if fixture.identities[a] == fixture.identities[b] { same += 1 }
          }
        }
        #expect(Double(same) > 0.97 * Double(pairs))
        // 36 people of 12 faces have 2,376 pairs.
        #expect(Double(same) > 0.85 * 2376)
      }
    }

    @Test func facesThatAreTooSmallOrUncertainAreLeftOut() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        var file = fixture.file(Array(0..<200))
        for row in 0..<10 { file.faces[row].box = FaceBox(x: 0, y: 0, width: 49, height: 90) }
        for row in 10..<20 { file.faces[row].confidence = 0.89 }
        for row in 20..<30 {
          file.faces[row].box = FaceBox(x: 0, y: 0, width: 50, height: 50)
          file.faces[row].confidence = 0.9
        }
        _ = try await test.stage.importFaces(file)
        let report = try await test.stage.bootstrap()
        #expect(report.embeddingCount == 180)
        #expect(report.filteredCount == 20)
        // They are no lost faces: they join people by evidence, or the tiers place them.
        #expect(
          try await test.stage.counts().byStatus["new", default: 0] == 20 - report.filteredPlaced)
        _ = try await test.stage.assign()
        #expect(try await test.stage.counts().byStatus["new"] == nil)
        // And they are listed with the reason, wherever the tiers put them.
        let faces = try await test.faces()
        for row in 0..<200 {
          let reason = faces["face-\(row)"]?.reason
          let expected =
            row < 10
            ? "filtered: 49 px, below MIN_FACE_SIZE_PX"
            : row < 20 ? "filtered: confidence 0.89, below MIN_FACE_CONFIDENCE" : nil
          #expect(reason == expected, "\(row)")
        }
      }
    }

    // Confidences of the tiers are of different scales; nothing sorts them. What is sorted is this.
    @Test func questionsAreOnOneScaleAndEveryConfidenceHasItsTier() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 40, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        // Between two, twice in a photo, near one, together in the pool, and by hand.
        var file = Circle.file([20, 21, 0.1, 0.2, 181, 90, 91, 92, 93, 94, 270], prefix: "new")
        file.faces[3].photo = file.faces[2].photo
        _ = try await test.stage.importFaces(file)
        _ = try await test.stage.assign()
        let cluster = try #require(try await test.faces()["face-0"]?.clusterID)
        _ = try await test.stage.assign(externalID: "new-10", to: .cluster(cluster))
        let faces = try await test.faces().values
        #expect(faces.allSatisfy { ($0.confidence == nil) == ($0.clusterID == nil) })
        #expect(faces.allSatisfy { $0.confidence == nil || $0.tier != nil })
        #expect(Set(faces.compactMap(\.tier)).isSuperset(of: ["bootstrap", "pool", "manual"]))
        #expect(faces.allSatisfy { (0...1).contains($0.confidence ?? 0) })
        let questions = try await test.stage.candidates()
        #expect(questions.contains { $0.reason == "same_photo" })
        #expect(questions.map(\.similarity) == questions.map(\.similarity).sorted(by: >))
        for question in questions {
          let row = try await test.pool.query(
            """
            SELECT e.embedding, c.reference_centroid FROM face_embedding e, cluster c
            WHERE e.detection_id = $1 AND c.id = $2
            """, [.int64(question.detectionID), .int64(question.clusterID)]
          ).single()
          let face = try #require(VectorBytes.floats(try row.bytes(0), count: 4))
          let centroid = try #require(VectorBytes.floats(try row.bytes(1), count: 4))
          let cosine = zip(face, centroid).reduce(Float(0)) { $0 + $1.0 * $1.1 }
          #expect(abs(question.similarity - cosine) < 1e-5, "\(question.reason)")
        }
      }
    }
  }
}
