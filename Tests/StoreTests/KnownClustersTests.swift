import PostgresClient
import Testing
import Vectors

@testable import Store

extension RepositoriesOnPostgres {
  /// Clusters that are read again only where they changed are those that a full read gives.
  @Suite struct KnownClustersTests {
    /// Five more clusters, each in a direction of its own.
    private func make(_ stored: StoredCollection) async throws -> [Int64] {
      let clusters = ClusterRepository(stored.collection)
      return try await stored.pool.withTransaction { connection in
        try clusters.create(
          (0..<5).map { number in
            ClusterFacts(
              faceCount: 0, coreCount: 0, sum: [0, 0], reference: [1, Float(number) / 10],
              medoidDetectionID: nil, epsilon: nil, distanceQuantiles: [], origin: "manual")
          }, persons: (0..<5).map { _ in nil }, runID: nil, on: connection)
      }
    }

    /// So many, and so long ago, that a few that change are read alone.
    private func makeMany(_ stored: StoredCollection) async throws -> [Int64] {
      var ids: [Int64] = []
      for _ in 0..<30 { ids += try await make(stored) }
      // Whoever is at work in another database counts as one who may have changed them.
      while try await stored.pool.query(
        """
        SELECT min(age(xmin)) <= age(pg_snapshot_xmin(pg_current_snapshot())::xid) FROM cluster
        """
      ).single().bool(0) { try await Task.sleep(for: .milliseconds(10)) }
      return ids
    }

    /// Changes with what an update of the program sets, and some that only SQL of others leaves out.
    @Test(arguments: [false, true]) func everyChangeIsSeen(ofOthers: Bool) async throws {
      let stamp = ofOthers ? "" : ", changed_in = pg_current_xact_id()"
      try await StoredCollection.run { stored in
        let clusters = ClusterRepository(stored.collection)
        let ids = try await make(stored)
        var known: KnownClusters?
        let changes = [
          "SELECT 1", "UPDATE cluster SET face_count = 7\(stamp) WHERE id = \(ids[1])",
          "UPDATE cluster SET verified = true, epsilon = 0.3\(stamp) WHERE id = \(ids[2])",
          "UPDATE cluster SET person_id = (SELECT min(id) FROM person)\(stamp) WHERE id = \(ids[3])",
          """
          UPDATE cluster SET reference_centroid = (SELECT reference_centroid FROM cluster
            WHERE id = \(ids[0]))\(stamp) WHERE id = \(ids[4])
          """,
          "UPDATE cluster SET retired_at = now()\(stamp) WHERE id = \(ids[0])",
          "UPDATE cluster SET retired_at = NULL\(stamp) WHERE id = \(ids[0])",
          "DELETE FROM cluster WHERE id = \(ids[4])",
        ]
        for change in changes {
          try await stored.pool.query(change)
          if change.hasPrefix("DELETE"), !ofOthers {
            try await stored.pool.query(
              "UPDATE collection SET clusters_removed = clusters_removed + 1")
          }
          let before = known
          let (after, whole) = try await stored.pool.withTransaction {
            (
              try clusters.live(since: before, looksAtAll: ofOthers, on: $0),
              try clusters.live(on: $0)
            )
          }
          known = after
          let live = after.live
          #expect(live.ids == whole.ids && live.personIDs == whole.personIDs, "\(change)")
          #expect(live.faceCounts == whole.faceCounts && live.verified == whole.verified)
          #expect(live.epsilons.map { $0?.value } == whole.epsilons.map { $0?.value })
          for row in whole.ids.indices {
            #expect(live.references.values(ofRow: row) == whole.references.values(ofRow: row))
          }
        }
      }
    }

    /// Looks at what the program changed come more often than looks at all rows, and hide nothing from them.
    @Test func whatOthersChangedBetweenIsSeenByTheNextLookAtAll() async throws {
      try await StoredCollection.run { stored in
        let clusters = ClusterRepository(stored.collection)
        let cluster = try await makeMany(stored)[0]
        var known = try await stored.pool.withTransaction {
          try clusters.live(since: nil, looksAtAll: true, on: $0)
        }
        let first = known.firstReferences
        try await stored.pool.query("UPDATE cluster SET face_count = 9 WHERE id = \(cluster)")
        for looksAtAll in [false, false, true] {
          _ = try await make(stored)
          let before = known
          known = try await stored.pool.withTransaction {
            try clusters.live(since: before, looksAtAll: looksAtAll, on: $0)
          }
          // Not read as a whole, which would show everything.
          #expect(known.firstReferences === first)
          #expect(known.live.faceCounts.contains(9) == looksAtAll)
        }
      }
    }

    @Test func whoIsBornIsAddedToWhatIsKnown() async throws {
      try await StoredCollection.run { stored in
        let clusters = ClusterRepository(stored.collection)
        _ = try await makeMany(stored)
        var known = try await stored.pool.withTransaction {
          try clusters.live(since: nil, looksAtAll: false, on: $0)
        }
        let first = known.firstReferences
        for birth in 1...3 {
          _ = try await make(stored)
          let (before, row) = (known, birth)
          let (after, whole) = try await stored.pool.withTransaction {
            (try clusters.live(since: before, looksAtAll: false, on: $0), try clusters.live(on: $0))
          }
          known = after
          // Not read as a whole: what was made of the first references still serves.
          #expect(known.firstReferences === first, "birth \(row)")
          #expect(known.live.ids == whole.ids && known.live.personIDs == whole.personIDs)
          #expect(known.live.faceCounts == whole.faceCounts)
          #expect(known.live.referenceCounts == whole.referenceCounts)
          #expect(known.live.references.rows == whole.count)
          for row in whole.ids.indices {
            #expect(known.live.references.values(ofRow: row) == whole.references.values(ofRow: row))
          }
        }
      }
    }

    /// A change that was made before a look at the clusters and committed after it.
    @Test func whatCommitsLateIsSeen() async throws {
      try await StoredCollection.run { stored in
        let clusters = ClusterRepository(stored.collection)
        let cluster = try await makeMany(stored)[0]
        let slow = try await stored.pool.connectionOfItsOwn()
        do {
          try await slow.execute(script: "BEGIN")
          try await slow.query(
            """
            UPDATE cluster SET face_count = 9, changed_in = pg_current_xact_id()
            WHERE id = \(cluster)
            """)
          // Others come and go meanwhile.
          for _ in 0..<3 { _ = try await make(stored) }
          let early = try await stored.pool.withTransaction {
            try clusters.live(since: nil, looksAtAll: false, on: $0)
          }
          #expect(!early.live.faceCounts.contains(9))
          try await slow.execute(script: "COMMIT")
          let late = try await stored.pool.withTransaction {
            try clusters.live(since: early, looksAtAll: false, on: $0)
          }
          #expect(late.live.faceCounts.contains(9))
          #expect(late.firstReferences === early.firstReferences)
        } catch {
          await slow.close()
          throw error
        }
        await slow.close()
      }
    }
  }
}
