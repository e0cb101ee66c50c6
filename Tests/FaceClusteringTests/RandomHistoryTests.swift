import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

extension OnPostgres {
  /// Whatever people and programs do, in any order, what must hold holds after each step.
  @Suite struct RandomHistoryTests {
    private enum Step: CaseIterable {
      case importFaces, bootstrap, dryRun, withoutFit, assign, assignInSmallBatches, force, byHand,
        newPerson
      case name, verify, forbid, constrain, reject, delete
    }

    /// One collection and what the test remembers of it.
    private struct Tenant {
      let test: TestStage
      var nextFace = 0
      /// Where people put faces: external id and cluster.
      var manual: [String: Int64] = [:]
      var names: [Int64: String] = [:]
      var verified: Set<Int64> = []
    }

    /// Angles of new faces: near five people, or anywhere.
    private func angles(_ random: inout SplitMix64) -> [Double] {
      (0..<Int.random(in: 1...14, using: &random)).map { _ in
        Bool.random(using: &random)
          ? 72 * Double(Int.random(in: 0..<5, using: &random))
            + Double(Int.random(in: -12...12, using: &random))
          : Double(Int.random(in: 0..<360, using: &random))
      }
    }

    private func take(
      _ step: Step, _ tenant: inout Tenant, _ random: inout SplitMix64
    ) async throws {
      let (stage, pool) = (tenant.test.stage, tenant.test.pool)
      let faces = try await tenant.test.faces().values.sorted { $0.detectionID < $1.detectionID }
      let live = try await pool.query(
        "SELECT id FROM cluster WHERE collection_id = $1 AND retired_at IS NULL ORDER BY id",
        [.int64(tenant.test.collection.id)]
      ).map { try $0.int64(0) }
      let face = faces.randomElement(using: &random)
      let cluster = live.randomElement(using: &random)
      switch step {
      case .importFaces:
        var file = Circle.file(angles(&random), prefix: "f")
        for index in file.faces.indices {
          file.faces[index].externalID = "f\(tenant.nextFace)"
          // Some faces share photos.
          file.faces[index].photo = "p\(tenant.nextFace * 2 / 3)"
          if Int.random(in: 0..<10, using: &random) == 0 { file.faces[index].confidence = 0.5 }
          tenant.nextFace += 1
        }
        _ = try await stage.importFaces(file)
      case .bootstrap, .dryRun:
        do {
          _ = try await stage.bootstrap(dryRun: step == .dryRun)
        } catch BootstrapError.nothingToFit {
          #expect(faces.allSatisfy { ($0.status ?? "") == "invalid" || $0.clusterID == nil })
        }
      case .withoutFit:
        do {
          _ = try await stage.bootstrap(withoutFit: true)
        } catch BootstrapError.noFit, BootstrapError.fitIsIncomplete {
        }
      case .assign: _ = try await stage.assign()
      case .assignInSmallBatches: _ = try await stage.assign(batchSize: 2)
      case .force: _ = try await stage.assign(force: true, batchSize: 5)
      case .byHand:
        guard let face, let cluster else { return }
        _ = try await stage.assign(externalID: face.externalID, to: .cluster(cluster), anyway: true)
        tenant.manual[face.externalID] = cluster
      case .newPerson:
        guard let face else { return }
        let placed = try await stage.assign(
          externalID: face.externalID, to: .newPerson(name: "N\(face.detectionID)"))
        tenant.manual[face.externalID] = placed.clusterID
        tenant.names[placed.personID] = "N\(face.detectionID)"
      case .name:
        guard let person = face?.personID else { return }
        _ = try await stage.name(person: person, "P\(person)")
        tenant.names[person] = "P\(person)"
      case .verify:
        guard let cluster else { return }
        try await pool.query("UPDATE cluster SET verified = true WHERE id = $1", [.int64(cluster)])
        tenant.verified.insert(cluster)
      case .forbid:
        guard let face, face.status != "manual", let cluster, face.clusterID != cluster,
          let person = try await pool.query(
            "SELECT person_id FROM cluster WHERE id = $1", [.int64(cluster)]
          ).first?.int64(0), person != face.personID
        else { return }
        let review = ReviewRepository(tenant.test.collection)
        try await pool.withTransaction {
          try review.forbid([(face.detectionID, cluster, person)], actor: nil, on: $0)
        }
      case .constrain:
        let other = faces.randomElement(using: &random)
        guard let face, let other, face.detectionID != other.detectionID,
          face.personID == nil || face.personID != other.personID
        else { return }
        let review = ReviewRepository(tenant.test.collection)
        try await pool.withTransaction {
          try review.constrain(
            face.detectionID, other.detectionID, mustLink: false, actor: nil, on: $0)
        }
      case .reject:
        // As a human who answers all questions about one waiting face: it is none of them.
        guard let waiting = faces.filter({ $0.status == "pending" }).randomElement(using: &random)
        else { return }
        let detections = DetectionRepository(tenant.test.collection)
        try await pool.withTransaction {
          try $0.query(
            """
            UPDATE face_match_candidate SET status = 'rejected', decided_at = now()
            WHERE detection_id = $1 AND status = 'pending'
            """, [.int64(waiting.detectionID)])
          try detections.reset([waiting.detectionID], runID: nil, on: $0)
        }
      case .delete:
        let gone = faces.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
          .map(\.externalID)
        #expect(try await stage.deleteFaces(externalIDs: gone) == gone.count)
        for id in gone { tenant.manual[id] = nil }
      }
    }

    private func check(_ tenant: Tenant, _ story: String) async throws {
      let violations = try await InvariantChecker(tenant.test.collection)
        .violations(in: tenant.test.pool)
      #expect(violations == [], "\(story)")
      let faces = try await tenant.test.faces()
      for (id, cluster) in tenant.manual {
        #expect(faces[id]?.clusterID == cluster, "\(id) after \(story)")
        #expect(faces[id]?.status == "manual", "\(id) after \(story)")
      }
      for (person, name) in tenant.names {
        let stored = try await tenant.test.value(
          "SELECT name FROM person WHERE id = $1", [.int64(person)])
        #expect(stored == name, "\(story)")
      }
      if !tenant.verified.isEmpty {
        let alive = try await tenant.test.value(
          """
          SELECT count(*) FROM cluster WHERE id = ANY($1) AND verified AND retired_at IS NULL
          """, [.int64Array(tenant.verified.sorted())])
        #expect(alive == "\(tenant.verified.count)", "\(story)")
      }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6]) func invariantsHold(seed: UInt64) async throws {
      try await TestStage.run(dimension: 4) { first in
        let second = try await TestStage.open(first.pool, collection: "others", dimension: 4)
        var tenants = [Tenant(test: first), Tenant(test: second)]
        var random = SplitMix64(state: seed)
        var story: [String] = []
        for index in tenants.indices { try await take(.importFaces, &tenants[index], &random) }
        for _ in 0..<45 {
          let index = Int.random(in: 0...1, using: &random)
          // Faces keep coming, and runs are common.
          let step =
            Int.random(in: 0..<3, using: &random) == 0
            ? [.importFaces, .bootstrap, .assign].randomElement(using: &random)
            : Step.allCases.randomElement(using: &random)
          guard let step else { continue }
          story.append("\(index)\(step)")
          try await take(step, &tenants[index], &random)
          for tenant in tenants {
            try await check(tenant, "seed \(seed): \(story.suffix(8).joined(separator: " "))")
          }
        }
        // At the end every face gets an answer.
        for tenant in tenants {
          _ = try await tenant.test.stage.assign()
          #expect(try await tenant.test.stage.counts().byStatus["new"] == nil)
          let violations = try await StateTable().violations(in: tenant.test)
          #expect(violations == [], "seed \(seed)")
        }
      }
    }
  }
}
