import FaceClustering
import Foundation
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing
import Vectors

extension OnPostgres {
  /// Everybody at once, in two collections: for a few seconds here, for as long as `scripts/soak` says
  /// there.
  @Suite struct SoakTests {
    /// Whether an error is one that a caller may see when others were faster, or connections are cut.
    static func isExpected(_ error: any Error) -> Bool {
      switch error {
      case let error as PostgresError:
        error.isConnectionLost || error.isTransient || error.code == .adminShutdown
          || error.code == .transactionResolutionUnknown
      case BootstrapError.alreadyRunning, BootstrapError.superseded, BootstrapError.nothingToFit:
        true
      case is HumanActionError, is ActivationError: true
      case StoreError.unknownDetection, StoreError.unknownCluster, StoreError.unknownPerson,
        StoreError.unknownCandidate:
        true
      default: false
      }
    }

    @Test func everybodyAtOnce() async throws {
      try await TestServer.shared.withFreshDatabase(maximumConnections: 32) { pool in
        let place = try await SoakPlace.open(pool)
        let end = ContinuousClock.now + .seconds(soakSeconds)
        let workers = try await place.circle.withWorkers(2) {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, writer) in SoakPlace.writers.enumerated() {
              group.addTask {
                var random = SplitMix64(state: UInt64(index + 1))
                // At least once, however slow the machine is.
                repeat {
                  let tenant = place.tenants[Int.random(in: 0...1, using: &random)]
                  do {
                    if try await writer.act(place, tenant, &random) {
                      place.ledger.done.withLock { $0[writer.name, default: 0] += 1 }
                    }
                  } catch  where Self.isExpected(error) {
                    // Nothing of it happened, or all of it; the checks tell.
                  }
                } while ContinuousClock.now < end
                  || place.ledger.done.withLock { $0[writer.name] == nil }
              }
            }
            try await group.waitForAll()
          }
        }
        for tenant in place.tenants {
          _ = try await tenant.stage.assign()
          #expect(try await tenant.stage.counts().byStatus["new"] == nil)
          try await tenant.expectInvariants()
          let violations = try await StateTable().violations(in: tenant)
          #expect(violations == [])
        }
        try await Self.checkPeople(place)
        #expect(workers.reduce(0) { $0 + $1.dead } == 0)
        // All that people did can be taken back, as far as nothing stands in the way.
        for tenant in place.tenants {
          for _ in 0..<10 {
            do {
              _ = try await tenant.stage.undo()
            } catch  where error is HumanActionError || error is ActivationError {
              break
            }
            try await tenant.expectInvariants()
          }
        }
      }
    }

    /// What people did to a cluster, one line each: which of it was last to be seen is hard to guess.
    private static func story(ofCluster id: Int64, in tenant: TestStage) async throws -> String {
      try await tenant.value(
        """
        SELECT string_agg(format(E'\\n%s %s undoes %s, undone by %s: %s -> %s (%s)', a.id, a.kind,
          a.undoes, a.undone_by, h.before - sums, h.after - sums, h.said), '' ORDER BY a.id)
        FROM human_action a, human_action_change h,
          (SELECT ARRAY['centroid', 'centroid_sum', 'reference_centroid'] AS sums) s
        WHERE a.collection_id = $1 AND h.collection_id = $1 AND h.action_id = a.id
          AND h.entity = 'cluster' AND h.row_id = $2
        """, [.int64(tenant.collection.id), .int64(id)]) ?? ""
    }

    /// No program changed what people said.
    static func checkPeople(_ place: SoakPlace) async throws {
      let (said, kinds, lost) = try await Ledger.read(place.ledger, place.tenants)
      let counted = { (counts: [String: Int]) in
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      }
      print("soak: \(counted(place.ledger.done.withLock { $0 })); of people: \(counted(kinds))")
      #expect(lost == [], "acknowledged, and in no log")
      let deleted = place.ledger.deleted.withLock { $0 }
      for (tenant, said) in zip(place.tenants, said) {
        let name = tenant.collection.name
        let faces = try await tenant.faces()
        for (id, cluster) in said.clusterOfFace {
          guard !deleted.contains(id), let face = faces[id] else { continue }
          #expect(
            face.status == "manual" && face.clusterID == cluster, "\(name): \(id) in \(cluster)")
        }
        for (id, prohibitions) in said.notThere {
          guard !deleted.contains(id), let face = faces[id] else { continue }
          for prohibition in prohibitions {
            let rows = try await tenant.value(
              """
              SELECT count(*) FROM cluster_person_cannot_link
              WHERE collection_id = $1 AND detection_id = $2 AND cluster_id = $3 AND person_id = $4
              """,
              [
                .int64(tenant.collection.id), .int64(face.detectionID),
                .int64(prohibition.cluster), .int64(prohibition.person),
              ])
            #expect(rows == "1", "\(name): \(id) is not \(prohibition)")
          }
        }
        for (person, given) in said.names {
          let stored = try await tenant.value(
            "SELECT name FROM person WHERE collection_id = $1 AND id = $2",
            [.int64(tenant.collection.id), .int64(person)])
          #expect(stored == given, "\(name): person \(person)")
        }
        for id in said.verified {
          let cluster = try await tenant.stage.cluster(id)
          let isKept = cluster.verified && cluster.retiredAt == nil
          let story = isKept ? "" : try await story(ofCluster: id, in: tenant)
          #expect(isKept, "\(name): cluster \(id): \(story)")
        }
        for (id, person) in said.personOfCluster {
          guard let cluster = try? await tenant.stage.cluster(id), cluster.retiredAt == nil else {
            continue
          }
          #expect(cluster.personID == person, "\(name): cluster \(id)")
        }
      }
    }
  }
}
