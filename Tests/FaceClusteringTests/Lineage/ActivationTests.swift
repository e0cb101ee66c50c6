import FaceClustering
import HDBSCAN
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// Runs go back and forth with nothing lost.
  @Suite struct ActivationTests {
    /// Two runs over different faces, in two collections; the callback acts on the first.
    private func run(
      _ body: (_ test: TestStage, _ first: Int64, _ second: Int64) async throws -> Void
    ) async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let other = try await TestStage.open(test.pool, collection: "others")
        var runs: [Int64] = []
        for tenant in [test, other] {
          _ = try await tenant.stage.importFaces(
            fixture.file(fixture.people.flatMap { $0.prefix(5) }.sorted()))
          runs.append(try #require(try await tenant.stage.bootstrap().runID))
          _ = try await tenant.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
          _ = try await tenant.stage.assign()
          let changed = try await tenant.reopened(
            settings: {
              var settings = StageSettings()
              settings.selectionMethod = .leaf
              return settings
            }())
          runs.append(try #require(try await changed.stage.bootstrap().runID))
        }
        let untouched = try await other.dump()
        try await body(test, runs[0], runs[1])
        try await test.expectInvariants()
        #expect(try await other.dump() == untouched)
      }
    }

    @Test func backAndForthIsTheSame() async throws {
      try await run { test, first, second in
        let after = try await test.dump()
        let preview = try await test.stage.activate(run: first, dryRun: true)
        #expect(preview.moved > 0 && preview.dryRun)
        #expect(try await test.dump() == after)
        let done = try await test.stage.activate(run: first, actor: "ann")
        #expect(done.moved == preview.moved)
        let undecided = try await test.stage.counts().byStatus["new"] ?? 0
        #expect(done.undecided == undecided && preview.undecided == undecided)
        #expect(try await test.stage.runs().filter(\.isActive).map(\.id) == [first])
        try await test.expectInvariants()
        let back = try await test.dump()
        #expect(back != after)
        _ = try await test.stage.activate(run: second)
        var changes = Self.ignoring(TestStage.difference(after, try await test.dump()))
        #expect(changes == [])
        _ = try await test.stage.activate(run: first)
        changes = Self.ignoring(TestStage.difference(back, try await test.dump()))
        #expect(changes == [])
        // And through the log: twice back, the collection is where it began.
        for _ in 0..<3 { _ = try await test.stage.undo() }
        #expect(try await test.stage.runs().filter(\.isActive).map(\.id) == [second])
        changes = Self.ignoring(TestStage.difference(after, try await test.dump()))
        #expect(changes == [])
        // Tier 1 follows the run in charge.
        _ = try await test.stage.activate(run: first)
        #expect(try await test.stage.assign(force: true).runID == first)
      }
    }

    /// When a cluster was retired, and since when a face waits, are dates of the last change.
    private static func ignoring(_ lines: [String]) -> [String] {
      var counts: [String: Int] = [:]
      for line in lines {
        let text = String(line.dropFirst(2))
          .replacing(#/"(retired_at|unassigned_since|decided_at)": ("[^"]*"|null)/#, with: "")
          .replacing(#/"(centroid|centroid_sum)": "[^"]*"/#, with: "")
        counts[text, default: 0] += line.hasPrefix("+") ? 1 : -1
      }
      return counts.filter { $0.value != 0 }.keys.sorted()
    }

    @Test func namesAndHandsStand() async throws {
      try await run { test, first, second in
        let groups = try await test.groups()
        for group in groups.prefix(30) {
          _ = try await test.stage.name(person: group.person, "P\(group.person)")
        }
        let face = groups[0].faces[0]
        _ = try await test.stage.assign(externalIDs: [face], to: .cluster(groups[1].cluster))
        let rejected = groups[2].faces[0]
        _ = try await test.stage.reject(externalIDs: [rejected])
        _ = try await test.stage.verify(cluster: groups[3].cluster)
        let names = try await test.value(
          "SELECT jsonb_object_agg(id, name) FROM person WHERE collection_id = $1",
          [.int64(test.collection.id)])
        for run in [first, second, first, second] {
          _ = try await test.stage.activate(run: run)
          try await test.expectInvariants()
          let faces = try await test.faces()
          #expect(faces[face]?.clusterID == groups[1].cluster)
          #expect(faces[face]?.status == "manual")
          #expect(faces[rejected]?.clusterID != groups[2].cluster)
          #expect(groups[3].faces.allSatisfy { faces[$0]?.clusterID == groups[3].cluster })
          #expect(
            try await test.value(
              "SELECT jsonb_object_agg(id, name) FROM person WHERE collection_id = $1",
              [.int64(test.collection.id)]) == names)
        }
      }
    }

    private func members(_ test: TestStage) async throws -> [Int64: Set<String>] {
      Dictionary(uniqueKeysWithValues: try await test.groups().map { ($0.cluster, Set($0.faces)) })
    }

    @Test func aVerifiedClusterNeitherLosesNorGains() async throws {
      try await run { test, first, second in
        let after = try await members(test)
        _ = try await test.stage.activate(run: first)
        let before = try await members(test)
        func grows(_ old: [Int64: Set<String>], _ new: [Int64: Set<String>]) -> Int64? {
          new.keys.sorted().first { id in
            old[id].map { new[id]?.isSubset(of: $0) == false } ?? false
          }
        }
        // The run that is activated would put more faces there.
        let isInFirst = grows(before, after) != nil
        let cluster = try #require(grows(before, after) ?? grows(after, before))
        if !isInFirst { _ = try await test.stage.activate(run: second) }
        _ = try await test.stage.verify(cluster: cluster)
        let kept = (isInFirst ? before : after)[cluster]
        let reference = "SELECT reference_centroid FROM cluster WHERE id = $1"
        let shape = try await test.value(reference, [.int64(cluster)])
        for run in isInFirst ? [second, first] : [first, second] {
          _ = try await test.stage.activate(run: run)
          #expect(try await members(test)[cluster] == kept)
          #expect(try await test.value(reference, [.int64(cluster)]) == shape)
          try await test.expectInvariants()
        }
      }
    }

    /// What a run had said of a cluster and its faces waits for as long as people hold the cluster.
    @Test(arguments: [true, false])
    func whatWasHeldMeanwhileIsAsTheRunHadIt(isUndone: Bool) async throws {
      try await run { test, first, second in
        let after = try await test.dump()
        let clusters = try await members(test)
        _ = try await test.stage.activate(run: first)
        let held = try #require(
          try await members(test).first { clusters[$0.key].map { $0.count } ?? 0 > $0.value.count })
        _ = try await test.stage.verify(cluster: held.key)
        _ = try await test.stage.activate(run: second)
        #expect(try await members(test)[held.key] == held.value)
        _ = try await test.stage.activate(run: first)
        if isUndone {
          for _ in 0..<4 { _ = try await test.stage.undo() }
        } else {
          _ = try await test.stage.verify(cluster: held.key, false)
          _ = try await test.stage.activate(run: second)
        }
        #expect(Self.ignoring(TestStage.difference(after, try await test.dump())) == [])
      }
    }

    /// What people said and took back since was not said.
    @Test func aCorrectionThatWasTakenBackIsNone() async throws {
      try await run { test, first, second in
        let after = try await test.dump()
        let groups = try await test.groups()
        _ = try await test.stage.activate(run: first)
        let moved = try #require(groups.flatMap(\.faces).first)
        _ = try await test.stage.reject(
          externalIDs: [moved], from: .cluster(groups[0].cluster))
        let byHand = try await test.stage.assign(
          externalIDs: [groups[1].faces[0]], to: .cluster(groups[0].cluster))
        _ = try await test.stage.undo()
        _ = try await test.stage.undo(
          action: try #require(try await test.stage.actions().first?.id))
        _ = try await test.stage.undo(action: byHand.actionID)
        _ = try await test.stage.undo()
        _ = try await test.stage.activate(run: second)
        #expect(Self.ignoring(TestStage.difference(after, try await test.dump())) == [])
      }
    }

    /// However often runs changed in between, the way back through the log ends where it began.
    @Test func whatIsTakenBackInOrderIsAsItWas() async throws {
      try await run { test, first, second in
        let after = try await test.dump()
        let groups = try await test.groups()
        for group in groups {
          // Not every cluster has parts.
          do { _ = try await test.stage.split(cluster: group.cluster) } catch is HumanActionError {}
          if try await !test.stage.actions().isEmpty { break }
        }
        try #require(try await test.stage.actions().count == 1)
        _ = try await test.stage.activate(run: first)
        _ = try await test.stage.assign(
          externalIDs: [groups[0].faces[0]], to: .newPerson(name: "Ann"))
        for run in [second, first, second] { _ = try await test.stage.activate(run: run) }
        for _ in 0..<6 { _ = try await test.stage.undo() }
        #expect(Self.ignoring(TestStage.difference(after, try await test.dump())) == [])
      }
    }

    /// A second run over four people, beside whom a face is that was new before.
    private func afterASecondRun(
      _ body: (TestStage, _ first: Int64, _ second: Int64, _ cluster: Int64) async throws -> Void
    ) async throws {
      try await TestStage.runFourPeople { test, faces in
        let first = try #require(try await test.stage.runs().first?.id)
        _ = try await test.stage.importFaces(Circle.file([0.2], prefix: "new"))
        let second = try #require(try await test.stage.bootstrap().runID)
        try await body(test, first, second, try #require(faces["face-0"]?.clusterID))
      }
    }

    @Test func whoWasNewIsNewAgain() async throws {
      try await afterASecondRun { test, first, second, cluster in
        #expect(try await test.faces()["new-0"]?.clusterID == cluster)
        for _ in 0..<2 {
          _ = try await test.stage.activate(run: first)
          let face = try #require(try await test.faces()["new-0"])
          #expect(face.status == nil && face.clusterID == nil)
          try await test.expectInvariants()
          _ = try await test.stage.activate(run: second)
          #expect(try await test.faces()["new-0"]?.clusterID == cluster)
        }
      }
    }

    @Test func aMedoidIsAMember() async throws {
      try await afterASecondRun { test, first, second, cluster in
        _ = try await test.stage.activate(run: first)
        let medoid = """
          SELECT d.external_id FROM cluster c JOIN person_detection d ON d.id = c.medoid_detection_id
          WHERE c.id = $1
          """
        let face = try #require(try await test.value(medoid, [.int64(cluster)]))
        _ = try await test.stage.activate(run: second)
        _ = try await test.stage.reject(externalIDs: [face])
        _ = try await test.stage.activate(run: first)
        #expect(try await test.faces()[face]?.clusterID == nil)
        #expect(try await test.value(medoid, [.int64(cluster)]) != face)
      }
    }

    @Test(arguments: [true, false])
    func whatPeopleEmptiedCanBeFilledAgain(goesBack: Bool) async throws {
      try await afterASecondRun { test, first, _, _ in
        let faces = ["face-0", "face-1", "face-2"]
        let made = try await test.stage.assign(externalIDs: faces, to: .newPerson(name: nil))
        let rejected = try await test.stage.reject(externalIDs: faces)
        _ = try await test.stage.activate(run: first)
        if goesBack { _ = try await test.stage.undo() }
        _ = try await test.stage.undo(action: rejected.actionID)
        let rows = try await test.faces()
        #expect(faces.allSatisfy { rows[$0]?.clusterID == made.clusterIDs[0] })
        #expect(faces.allSatisfy { rows[$0]?.status == "manual" })
      }
    }

    /// Nobody comes beside a face of the photo that came since, but where that is allowed.
    @Test(arguments: [true, false])
    func nobodyComesTwiceIntoAPhoto(isExclusive: Bool) async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180].flatMap { Circle.person(at: $0, count: 8) }))
        _ = try await test.stage.importFaces(
          Circle.file(Circle.person(at: 270), prefix: "few"))
        let first = try #require(try await test.stage.bootstrap().runID)
        let faces = try await test.faces()
        let cluster = try #require(faces["few-0"]?.clusterID)
        try await test.give(cluster, toPerson: try #require(faces["face-0"]?.personID))
        var settings = test.stage.settings
        settings.minClusterSize = 7
        let other = try await test.reopened(settings: settings)
        _ = try await other.stage.bootstrap()
        try #require(try await test.stage.cluster(cluster).retiredAt != nil)
        _ = try await test.stage.importFaces(Circle.file([0.2], prefix: "late"))
        _ = try await test.stage.assign()
        try #require(try await test.faces()["late-0"]?.personID == faces["face-0"]?.personID)
        // What the run had together comes back together.
        for (face, beside) in [("few-0", "late-0"), ("few-2", "few-1"), ("few-3", "face-0")] {
          try await test.pool.query(
            """
            UPDATE person_detection SET photo_id = (SELECT photo_id FROM person_detection
              WHERE external_id = '\(beside)') WHERE external_id = '\(face)'
            """)
        }
        settings.samePhotoExclusion = isExclusive
        _ = try await test.reopened(settings: settings).stage.activate(run: first)
        let rows = try await test.faces()
        #expect((rows["few-0"]?.clusterID == cluster) == !isExclusive)
        #expect((rows["few-0"]?.status == nil) == isExclusive)
        #expect((1..<6).allSatisfy { rows["few-\($0)"]?.clusterID == cluster })
      }
    }

    /// A merge is about persons, whatever of them lives in the run that is in charge.
    @Test func aClusterThatAMergeFoundRetiredComesBackAsThatPersons() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180].flatMap { Circle.person(at: $0, count: 8) }))
        _ = try await test.stage.importFaces(
          Circle.file(Circle.person(at: 270), prefix: "few"))
        let first = try #require(try await test.stage.bootstrap().runID)
        let faces = try await test.faces()
        let (own, few) = (try #require(faces["face-0"]), try #require(faces["few-0"]))
        let heir = try #require(faces["face-8"]?.personID)
        let person = try #require(own.personID)
        let cluster = try #require(few.clusterID)
        try await test.give(cluster, toPerson: person)
        _ = try await test.stage.reject(externalIDs: ["face-16"], from: .cluster(cluster))
        var settings = StageSettings()
        settings.minClusterSize = 7
        _ = try await test.reopened(settings: settings).stage.bootstrap()
        try #require(try await test.stage.cluster(cluster).retiredAt != nil)

        let merged = try await test.stage.merge(persons: [person], into: heir)
        let refused = await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalIDs: ["face-16"], to: .person(heir))
        }
        #expect(try #require(refused).description.contains("not to belong"))
        let retiredAgain = try await test.stage.undo(action: merged.actionID)
        #expect(try await test.stage.cluster(cluster).personID == person)
        _ = try await test.stage.undo(action: retiredAgain.actionID)
        _ = try await test.stage.activate(run: first)
        #expect(try await test.faces()["few-0"]?.personID == heir)
        try await test.expectInvariants()
        _ = try await test.stage.undo(action: merged.actionID)
        #expect(try await test.faces()["few-0"]?.personID == person)
        #expect(try await test.stage.cluster(cluster).retiredAt == nil)
        try await test.expectInvariants()
      }
    }

    @Test func runsAreComparedAndClustersFollowed() async throws {
      try await run { test, first, second in
        let difference = try await test.stage.difference(from: first, to: second)
        #expect(difference.settings.map(\.name) == ["HDBSCAN_CLUSTER_SELECTION_METHOD"])
        #expect(difference.figures[0].before < difference.figures[0].after)
        let same = try await test.stage.difference(from: second, to: second)
        #expect(same.clusters.isEmpty && same.settings.isEmpty)
        // What the comparison says of a cluster is what the tables say.
        let cluster = try #require(difference.clusters.first { $0.after > 0 })
        let now = try await test.groups().first { $0.cluster == cluster.clusterID }
        #expect(now?.faces.count == cluster.after)
        _ = try await test.stage.activate(run: first)
        let then = try await test.groups().first { $0.cluster == cluster.clusterID }
        #expect((then?.faces.count ?? 0) == cluster.before)
        let steps = try await test.stage.lineage(ofCluster: try #require(now).cluster)
        #expect(!steps.isEmpty && steps.allSatisfy { $0.toRunID == first || $0.toRunID == second })
        await #expect(throws: StoreError.self) { try await test.stage.lineage(ofCluster: 4711) }
        let tree = try await test.stage.tree(ofRun: second)
        #expect(tree.rows.count { $0.detectionID != nil } == tree.pointCount)
        #expect(tree.clusterIDs.compactMap { $0 }.count == tree.selectedNodes.count)
      }
    }

    @Test func onlyACompletedRunCanBeInCharge() async throws {
      try await TestStage.run(dimension: 4) { test in
        let angles = [0.0, 90, 180].flatMap { Circle.person(at: $0) }
        _ = try await test.stage.importFaces(Circle.file(angles))
        let run = try #require(try await test.stage.bootstrap().runID)
        let again = try await test.stage.activate(run: run)
        #expect(again.moved == 0 && again.actionID == nil)
        #expect(try await test.stage.actions().isEmpty)
        try await test.pool.query(
          """
          INSERT INTO hdbscan_run (collection_id, status, error, embedding_model, min_cluster_size,
            min_samples) VALUES ($1, 'failed', 'x', 'test', 3, 2)
          """, [.int64(test.collection.id)])
        await #expect(throws: ActivationError.notCompleted(run: run + 1, status: "failed")) {
          try await test.stage.activate(run: run + 1)
        }
        await #expect(throws: StoreError.unknownRun(99, collection: "faces")) {
          try await test.stage.activate(run: 99)
        }
      }
    }
  }
}
