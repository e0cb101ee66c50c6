import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing

extension OnPostgres {
  /// Writers of all kinds at once; afterwards every count and centroid is recomputed.
  @Suite struct EverybodyAtOnceTests {
    @Test func whateverInterleavesTheInvariantsHold() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let other = try await TestStage.open(test.pool, collection: "others")
        let early = fixture.people.flatMap { $0.prefix(7) }.sorted()
        let late = fixture.identities.indices.filter { !early.contains($0) }
        for tenant in [test, other] {
          _ = try await tenant.stage.importFaces(fixture.file(early))
          _ = try await tenant.stage.bootstrap()
        }
        let deadline = ContinuousClock.now + .seconds(4)
        let manual = try await withThrowingTaskGroup(of: String?.self) { group in
          for (index, tenant) in [test, other].enumerated() {
            group.addTask { try await Self.imports(fixture, late, tenant) }
            group.addTask {
              try await Self.until(deadline) { _ = try await tenant.stage.assign(batchSize: 20) }
            }
            group.addTask {
              try await Self.until(deadline) { _ = try await tenant.stage.bootstrap() }
            }
            group.addTask {
              try await Self.people(tenant, deadline, seed: UInt64(index + 11))
            }
          }
          group.addTask {
            try await Self.until(deadline) {
              _ = try await test.stage.assign(force: true, batchSize: 33)
            }
          }
          return try await group.reduce(into: [String]()) { if let id = $1 { $0.append(id) } }
        }
        for tenant in [test, other] {
          _ = try await tenant.stage.assign()
          try await tenant.expectInvariants()
          #expect(try await tenant.stage.counts().byStatus["new"] == nil)
        }
        // The last word of each person stands.
        let (mine, theirs) = (try await test.faces(), try await other.faces())
        for id in manual {
          #expect(mine[id]?.status == "manual" || theirs[id]?.status == "manual")
        }
        // All of it can be taken back, as far as nothing stands in the way.
        for _ in 0..<20 {
          do { _ = try await test.stage.undo() } catch is HumanActionError { break }
          try await test.expectInvariants()
        }
      }
    }

    private static func until(
      _ deadline: ContinuousClock.Instant, _ work: () async throws -> Void
    ) async throws -> String? {
      while ContinuousClock.now < deadline {
        do { try await work() } catch is BootstrapError {}
      }
      return nil
    }

    private static func imports(
      _ fixture: FaceFixture, _ rows: [Int], _ tenant: TestStage
    ) async throws -> String? {
      for part in stride(from: 0, to: rows.count, by: 25) {
        _ = try await tenant.stage.importFaces(
          fixture.file(Array(rows[part..<min(part + 25, rows.count)])))
        try await Task.sleep(for: .milliseconds(80))
      }
      return nil
    }

    /// A person at work: everything that can be done, at random, and some of it taken back.
    private static func people(
      _ tenant: TestStage, _ deadline: ContinuousClock.Instant, seed: UInt64
    ) async throws -> String? {
      var random = SeededGenerator(seed: seed)
      var last: String?
      while ContinuousClock.now < deadline {
        let groups = try await tenant.groups()
        guard let a = groups.randomElement(using: &random),
          let b = groups.randomElement(using: &random),
          let face = a.faces.randomElement(using: &random)
        else { continue }
        do {
          switch Int.random(in: 0..<9, using: &random) {
          case 0:
            _ = try await tenant.stage.assign(externalIDs: [face], to: .cluster(b.cluster))
            last = face
          case 1:
            _ = try await tenant.stage.reject(externalIDs: [face])
            if last == face { last = nil }
          case 2: _ = try await tenant.stage.merge(persons: [a.person], into: b.person)
          case 3: _ = try await tenant.stage.separate(person: a.person)
          case 4: _ = try await tenant.stage.split(cluster: a.cluster)
          case 5: _ = try await tenant.stage.verify(cluster: a.cluster)
          case 6: _ = try await tenant.stage.name(person: a.person, "P\(a.person)")
          case 7:
            guard let question = try await tenant.stage.candidates(limit: 1).first else { continue }
            _ = try await tenant.stage.reject(candidates: [question.id])
          default:
            _ = try await tenant.stage.undo()
            last = nil
          }
        } catch is HumanActionError {
        } catch is StoreError {}
      }
      // A merge may set a face aside that was placed before, so only a fresh word is compared.
      guard let group = try await tenant.groups().first else { return nil }
      _ = try await tenant.stage.assign(
        externalIDs: [group.faces[0]], to: .cluster(group.cluster), anyway: true)
      return group.faces[0]
    }
  }
}
