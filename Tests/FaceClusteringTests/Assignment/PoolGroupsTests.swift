import Testing
import Vectors

@testable import FaceClustering
@testable import Store

/// Groups of the pool against the definition.
@Suite struct PoolGroupsTests {
  private func pool(_ vectors: Matrix<Float>, photos: [Int64?]? = nil) -> FaceSnapshot {
    FaceSnapshot(
      ids: (0..<vectors.rows).map { Int64($0 + 1) },
      photoIDs: photos ?? Array(repeating: nil, count: vectors.rows),
      statuses: Array(repeating: .unassigned, count: vectors.rows),
      clusterIDs: Array(repeating: nil, count: vectors.rows), embeddings: vectors)
  }

  private func groups(_ minimum: Int = 5) -> PoolGroups {
    PoolGroups(radius: CosineDistance(0.315), minimum: minimum, samePhotoExclusion: true)
  }

  private func find(_ degrees: [Double], minimum: Int = 5, new: Set<Int64>? = nil) throws -> [[Int]]
  {
    let pool = pool(Matrix(degrees.map(Circle.vector)))
    return try groups(minimum).find(
      in: pool, newIDs: new ?? Set(pool.ids), prohibitions: Prohibitions())
  }

  @Test func groupsAreFoundAndChainsAreNot() throws {
    #expect(try find([0, 1, 2, 3]) == [])
    #expect(try find([0, 1, 2, 3, 4]) == [[0, 1, 2, 3, 4]])
    #expect(
      try find([0, 100, 1, 101, 2, 102, 3, 103, 4, 104]) == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]])
    #expect(try find([0, 20, 40, 60, 80, 100]) == [])
  }

  @Test func onlyGroupsAroundNewFacesAreLookedFor() throws {
    let two = [0.0, 1, 2, 3, 4, 100, 101, 102, 103, 104]
    #expect(try find(two, new: [7]) == [[5, 6, 7, 8, 9]])
    #expect(try find(two, new: []) == [])
  }

  @Test func realFacesAreGroupedByTheDefinition() throws {
    let fixture = try FaceFixture.load()
    let pool = pool(fixture.embeddings)
    for minimum in [3, 5, 8] {
      let found = try groups(minimum).find(
        in: pool, newIDs: Set(pool.ids), prohibitions: Prohibitions())
      #expect(!found.isEmpty)
      var taken: Set<Int> = []
      for group in found {
        #expect(group.count >= minimum)
        #expect(group == group.sorted())
        #expect(taken.isDisjoint(with: group))
        taken.formUnion(group)
        for a in group {
          for b in group where a < b {
            #expect(1 - fixture.embeddings.dotProduct(a, b) <= 0.315)
          }
        }
      }
      // And the same again, whatever the screening products gave.
      #expect(
        try groups(minimum).find(in: pool, newIDs: Set(pool.ids), prohibitions: Prohibitions())
          == found)
    }
  }

  /// Copies beside other faces, more than are looked at together.
  @Test func aBurstAndOthersAreGroupedByTheDefinition() throws {
    let fixture = try FaceFixture.load()
    let faces = fixture.embeddings.rows
    let rows = (0..<faces).flatMap { $0 == 100 ? [Int](repeating: 100, count: 700) : [$0] }
    let pool = pool(fixture.embeddings.selecting(rows: rows))
    var expected: [[Int]] = []
    var taken = Set<Int>()
    func distance(_ a: Int, _ b: Int) -> CosineDistance {
      NearClusters.distance(pool.embeddings, a, pool.embeddings, b)
    }
    for seed in rows.indices where !taken.contains(seed) {
      let near = rows.indices.filter { $0 != seed && !taken.contains($0) }
        .map { (distance(seed, $0), $0) }.filter { $0.0 <= groups().radius }.sorted { $0 < $1 }
      var group = [seed]
      for (_, row) in near where group.allSatisfy({ distance(row, $0) <= groups().radius }) {
        group.append(row)
      }
      if group.count < 5 { continue }
      taken.formUnion(group)
      expected.append(group.sorted())
    }
    #expect(expected.contains { $0.count >= 700 })
    #expect(
      try groups().find(in: pool, newIDs: Set(pool.ids), prohibitions: Prohibitions()) == expected)
  }

  @Test func aCancelledTaskLooksForNoGroups() async throws {
    let pool = pool(Matrix([[Float]](repeating: Circle.vector(10), count: 20)))
    let groups = groups()
    let looking = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try groups.find(in: pool, newIDs: Set(pool.ids), prohibitions: Prohibitions())
    }
    await #expect(throws: CancellationError.self) { try await looking.value }
  }

  @Test func nearClustersAreThoseWithinTheirRadius() throws {
    let fixture = try FaceFixture.load()
    var live = LiveClusters()
    let rows = fixture.people.map { $0[0] }
    live.references = fixture.embeddings.selecting(rows: rows)
    live.ids = rows.indices.map { Int64($0) }
    live.epsilons = rows.indices.map { $0 % 3 == 0 ? nil : CosineDistance(0.2 + 0.01 * Double($0)) }
    let found = NearClusters.within(
      faces: fixture.embeddings, clusters: live,
      radii: live.epsilons.map { ($0 ?? CosineDistance(0.45)).value }, threads: 2)
    for face in 0..<fixture.embeddings.rows {
      let expected = rows.indices.map { cluster in
        NearCluster(
          cluster: cluster,
          distance: NearClusters.distance(fixture.embeddings, face, live.references, cluster))
      }.filter { $0.distance <= live.epsilons[$0.cluster] ?? CosineDistance(0.45) }
        .sorted { ($0.distance, $0.cluster) < ($1.distance, $1.cluster) }
      #expect(found[face] == expected)
    }
  }
}
