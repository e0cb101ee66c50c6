internal import HDBSCAN
internal import PostgresClient
internal import Store

/// What people said that steers the selection of clusters.
///
/// A fit may only be steered by what is evidence about groups. One face that is in the wrong cluster is
/// none: to satisfy a pair of it, the selection would break the whole cluster up, where the gates
/// afterwards simply take the face out. So these pairs are given to the selection:
///
/// - pairs of faces that people linked or separated themselves (`detection_constraint`);
/// - cannot-link between manual faces of two persons, where each has at least `minClusterSize` of them:
///   two people that density chains together come apart. Neighbours in the tree's order are enough, for
///   any node that mixes two persons holds such a pair of neighbours: O(faces) pairs, not O(faces²).
///
/// "Not this person" is left to the gates, and so are manual faces of one person in several places:
/// linking those would select a common ancestor with everybody between them.
struct HumanConstraints {
  private let explicit: [(a: Int64, b: Int64, mustLink: Bool)]
  private let personOf: [Int64: Int64]

  /// What is said now.
  init(_ collection: CollectionRecord, on connection: isolated PostgresConnection) throws {
    explicit = try ReviewRepository(collection).pairs(on: connection)
    let live = try ClusterRepository(collection).live(on: connection)
    personOf = Dictionary(uniqueKeysWithValues: zip(live.ids, live.personIDs))
  }

  /// What is said, for tests.
  init(explicit: [(a: Int64, b: Int64, mustLink: Bool)], personOf: [Int64: Int64]) {
    self.explicit = explicit
    self.personOf = personOf
  }

  /// The pairs for a fit of these faces; none where the method of selection cannot heed them.
  ///
  /// - Complexity: O(rows + manual faces log manual faces).
  func pairs(among snapshot: FaceSnapshot, in clustering: Clustering) -> [PairConstraint] {
    guard clustering.parameters.selectionMethod == .eom else { return [] }
    let pointOf = Dictionary(uniqueKeysWithValues: snapshot.ids.enumerated().map { ($1, $0) })
    var pairs = explicit.compactMap { pair -> PairConstraint? in
      guard let a = pointOf[pair.a], let b = pointOf[pair.b] else { return nil }
      return PairConstraint(a, b, pair.mustLink ? .mustLink : .cannotLink)
    }
    var personOfPoint: [Int: Int64] = [:]
    for (point, status) in snapshot.statuses.enumerated() where status == .manual {
      personOfPoint[point] = snapshot.clusterIDs[point].flatMap { personOf[$0] }
    }
    let sizes = Dictionary(grouping: personOfPoint.values) { $0 }.mapValues(\.count)
    let asserted = personOfPoint.filter {
      sizes[$0.value, default: 0] >= clustering.parameters.minClusterSize
    }
    if Set(asserted.values).count < 2 { return pairs }
    let place = leafOrder(clustering.tree)
    let last = clustering.tree.pointParents
    let order = asserted.keys.sorted {
      (place[last[$0] - clustering.tree.pointCount], $0)
        < (place[last[$1] - clustering.tree.pointCount], $1)
    }
    for (a, b) in zip(order, order.dropFirst()) where asserted[a] != asserted[b] {
      pairs.append(PairConstraint(a, b, .cannotLink))
    }
    return pairs
  }

  /// Place of each cluster when the tree is walked from the root, a cluster before what is below it.
  private func leafOrder(_ tree: CondensedTree) -> [Int] {
    let children = tree.clusterChildren
    var place = [Int](repeating: 0, count: tree.clusterCount)
    var next = 0
    var stack = tree.root.map { [$0] } ?? []
    while let node = stack.popLast() {
      place[node - tree.pointCount] = next
      next += 1
      stack.append(contentsOf: children[node - tree.pointCount].reversed())
    }
    return place
  }
}
