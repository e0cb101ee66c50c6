internal import Synchronization
internal import Vectors

/// What the way to the tree yields.
struct FoundTree {
  var coreDistances: [Double]
  /// Edges of a minimum spanning tree, ascending.
  var edges: [CandidateEdge]
  /// Nearest neighbours, sorted.
  var lists: NeighbourLists
}

/// The way to core distances and a minimum spanning tree of distinct rows, whatever screens them.
///
/// A little scouting among rows that probably are near each other gives bounds on all core
/// distances and a spanning tree close to the minimum. With these one pass over all pairs finds both
/// every nearest neighbour and every edge that the tree lacks: see `PairSearch` and docs/exactness.md.
struct TreeTask<Scalar: ExactScalar> {
  let rows: DistinctRows<Scalar>
  let minSamples: Int
  /// Length of the neighbour lists.
  let capacity: Int
  let alpha: Double
  /// Points that each row stands for; nil where it is one each.
  let weights: [Int]?
  /// Pairs kept for the tree beyond which they improve it and are thinned.
  let mostPairs: Int
  let threads: Int
  let progress: ProgressReporter

  /// The tree, by bytes where those serve and pay, else by float products.
  func tree(_ screening: Screening) throws(HDBSCANError) -> FoundTree {
    let frame = CentredFrame(rows, threads: threads)
    let bytes = screening.integers(rows, frame: frame, capacity: capacity, threads: threads)?.rows
    if let screen = consume bytes { return try tree(consume screen) }
    return try tree(CentredRows(rows, frame: frame, threads: threads))
  }

  /// - Parameter screen: the rows in their own order; given up before all pairs are looked at, for only
  ///   one order of them is needed at a time.
  /// - Returns: the core distances, the edges of a minimum spanning tree, ascending, and the
  ///   nearest neighbours.
  /// - Complexity: O(n² · d) multiplications in matrix products, O(n · k · log n) exact distances on
  ///   data without mass ties.
  func tree<Source: ScreeningSource>(
    _ screen: consuming Source
  ) throws(HDBSCANError) -> FoundTree {
    let scouted = try scout(screen)
    return finish(try searchAllPairs(scouted, screen: consume screen))
  }

  /// Exact core distances and the exact tree.
  ///
  /// `nearer` holds every pair nearer than its bottleneck in `tree`, whose weights can only fall now
  /// that core distances are exact. So together they contain a minimum spanning tree.
  private func finish(_ found: AllPairsResult<Scalar>) -> FoundTree {
    let lists = found.lists
    let reachability = reachability(lists)
    let better = minimumSpanningForest(
      reweighted(found.tree, from: found.reachability, to: reachability)
        + edges(of: lists, reachability: reachability),
      count: rows.count
    ).edges
    // Most candidates are heavier than the bottlenecks of this better tree, even by the bounds on
    // their distances: no need to compute those.
    let bottlenecks = Bottlenecks(tree: better, count: rows.count)
    var lighter = found.nearer
    bottlenecks.keepLighter(&lighter, threads: threads) {
      reachability.weight(Int($0.a), Int($0.b), square: $0.weight)
    }
    // And those that only their bounds let through: which these are depends on when they were looked at.
    let missing = weighted(lighter.edges, reachability).filter {
      $0.weight < bottlenecks.bottleneck(Int($0.a), Int($0.b))
    }
    return FoundTree(
      coreDistances: reachability.coreDistances,
      edges: minimumSpanningForest(better + missing, count: rows.count).edges, lists: lists)
  }

  /// Mutual reachability with the core distances of the lists: exact, or bounds where the lists are of
  /// some pairs only.
  func reachability(_ lists: NeighbourLists) -> MutualReachability<Scalar> {
    MutualReachability(
      rows: rows,
      coreDistances: coreRadii(lists, weights: weights, minSamples: minSamples).map {
        $0.squareRoot()
      }, alpha: alpha)
  }

  /// The same edges with their weights, for which all distances are computed.
  func weighted(
    _ edges: [CandidateEdge], _ reachability: MutualReachability<Scalar>
  ) -> [CandidateEdge] {
    changed(edges) { reachability.weight(Int($0.a), Int($0.b)) }
  }

  /// The same edges with the weights that smaller core distances give them.
  ///
  /// A weight above the old core distances is the distance; one that the new core distances still reach
  /// stays. So hardly any distance is computed.
  func reweighted(
    _ edges: [CandidateEdge], from old: MutualReachability<Scalar>,
    to new: MutualReachability<Scalar>
  ) -> [CandidateEdge] {
    changed(edges) { edge in
      let (a, b) = (Int(edge.a), Int(edge.b))
      let core = max(new.coreDistances[a], new.coreDistances[b])
      if core >= edge.weight { return core }
      if edge.weight > max(old.coreDistances[a], old.coreDistances[b]) { return edge.weight }
      return new.weight(a, b)
    }
  }

  private func changed(
    _ edges: [CandidateEdge], weight: (CandidateEdge) -> Double
  ) -> [CandidateEdge] {
    var result = edges
    result.withUnsafeMutableBufferPointer { result in
      let target = result
      parallelForChunks(edges.count, chunk: 1024, threads: threads) { chunk in
        for index in chunk { target[index].weight = weight(target[index]) }
      }
    }
    return result
  }

  /// Runs a search over tiles, with progress.
  func run<Source: ScreeningSource>(
    _ search: PairSearch<Scalar, Source>, _ tiles: ArraySlice<TileGroup>, of total: Int,
    phase: FitProgress.Phase
  ) throws(HDBSCANError) -> EdgePile {
    let done = Atomic(tiles.startIndex)
    let found = search.search(tiles, threads: threads) {
      let completed = done.wrappingAdd(1, ordering: .relaxed).newValue
      progress.report(phase, completed: completed, of: total)
    } isCancelled: {
      progress.isCancelled
    }
    try progress.throwIfCancelled()
    return found
  }

  /// Orders all lists; no search may follow before `unsort`.
  func sort(_ lists: NeighbourLists) {
    parallelForChunks(rows.count, chunk: 1024, threads: threads) { chunk in
      for row in chunk { lists.sort(row) }
    }
  }

  /// Turns all lists into heaps again.
  func unsort(_ lists: NeighbourLists) {
    parallelForChunks(rows.count, chunk: 1024, threads: threads) { chunk in
      for row in chunk { lists.unsort(row) }
    }
  }
}
