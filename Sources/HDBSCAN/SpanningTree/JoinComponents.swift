internal import Vectors

/// Connects the components of a forest by edges that are short, though not always the shortest.
///
/// The result only bounds the search for missing edges (see `PairSearch`), so any spanning
/// tree is right and a light one is fast. In each round every component but the largest sends one
/// representative, the row nearest to the centre of the data, which sees other components best;
/// it is joined to its nearest row outside. The number of components at least halves each round.
///
/// - Parameters:
///   - forest: edges of a spanning forest.
///   - sets: the components of the forest; united on the way.
/// - Returns: the edges of a spanning tree, ascending.
/// - Complexity: O(c · n · d) for c components.
func joinComponents<Scalar: ExactScalar, Source: ScreeningSource>(
  _ forest: [CandidateEdge], sets: inout DisjointSets, screen: Source,
  reachability: MutualReachability<Scalar>, threads: Int, progress: ProgressReporter
) throws(HDBSCANError) -> [CandidateEdge] {
  let count = reachability.rows.count
  var tree = forest
  while tree.count < count - 1 {
    try progress.throwIfCancelled()
    let components = (0..<count).map { sets.find($0) }
    let representatives = chooseRepresentatives(components, screen: screen)
    let exits = nearestOutside(
      representatives, components: components, screen: screen, reachability: reachability,
      threads: threads)
    for edge in exits.sorted() where sets.unite(Int(edge.a), Int(edge.b)) { tree.append(edge) }
  }
  return tree.inOrder()
}

/// The row of least centred norm in each component, ascending, without the largest component.
private func chooseRepresentatives<Source: ScreeningSource>(
  _ components: [Int], screen: Source
) -> [Int] {
  var sizes = [Int](repeating: 0, count: components.count)
  var best = [Int](repeating: -1, count: components.count)
  for (row, component) in components.enumerated() {
    sizes[component] += 1
    let current = best[component]
    if current < 0 || screen.halfLower[row] < screen.halfLower[current] { best[component] = row }
  }
  let largest = sizes.indices.max { sizes[$0] < sizes[$1] }
  return best.indices.filter { best[$0] >= 0 && $0 != largest }.map { best[$0] }.sorted()
}

/// Rows of a batch: small, so that few representatives still occupy every thread.
private let batchSize = 64

/// For each representative its edge of least (weight, a, b) to a row of another component.
private func nearestOutside<Scalar: ExactScalar, Source: ScreeningSource>(
  _ representatives: [Int], components: [Int], screen: Source,
  reachability: MutualReachability<Scalar>, threads: Int
) -> [CandidateEdge] {
  let selected = screen.selecting(representatives)
  let blocks = Blocks(rows: components.count)
  var exits = [CandidateEdge?](repeating: nil, count: representatives.count)
  exits.withUnsafeMutableBufferPointer { exits in
    let target = exits
    let batches = (representatives.count + batchSize - 1) / batchSize
    parallelFor(
      batches, threads: threads, makeScratch: TileScratch<Source.Bound>.init
    ) { batch, scratch in
      let range = batch * batchSize..<min((batch + 1) * batchSize, representatives.count)
      for block in 0..<blocks.count {
        let columns = blocks.range(block)
        selected.products(range, with: screen, columns, into: scratch.products, stride: tileSize)
        for entry in range {
          let products = scratch.products + (entry - range.lowerBound) * tileSize
          target[entry] = nearestOutside(
            representatives[entry], columns, products: products, best: target[entry],
            components: components, screen: screen, reachability: reachability,
            survivors: scratch.survivors)
        }
      }
    }
  }
  return exits.compactMap { $0 }
}

/// Improves the best edge of one representative by the columns of one block.
private func nearestOutside<Scalar: ExactScalar, Source: ScreeningSource>(
  _ row: Int, _ columns: Range<Int>, products: UnsafePointer<Source.Bound>, best: CandidateEdge?,
  components: [Int], screen: Source, reachability: MutualReachability<Scalar>,
  survivors: UnsafeMutablePointer<UInt32>
) -> CandidateEdge? {
  var best = best
  let component = components[row]
  if best == nil {
    // Start from the most promising column, so that few others survive.
    var promising = -1
    var most = Source.Bound.keepsAll
    for column in columns where components[column] != component {
      let closeness = products[column - columns.lowerBound] - screen.halfLower[column]
      if promising < 0 || closeness > most { (promising, most) = (column, closeness) }
    }
    if promising < 0 { return nil }
    best = CandidateEdge(row, promising, weight: reachability.weight(row, promising))
  }
  guard var closest = best else { return nil }
  let limit = reachability.squaredLimit(weight: closest.weight)
  let reach = screen.reach(row, squaredLimit: limit)
  let found = screen.halfLower.withUnsafeBufferPointer { half in
    guard let base = half.baseAddress else { return 0 }
    let columnHalf = base + columns.lowerBound
    // Only the reach of the row counts: the second comparison repeats the first.
    return Source.Bound.screenRow(
      products, columnHalf, columnHalf, rowHalf: reach, rowReach: reach, from: 0,
      to: columns.count, into: survivors)
  }
  for survivor in 0..<found {
    let column = columns.lowerBound + Int(survivors[survivor])
    if components[column] == component { continue }
    if reachability.coreDistances[column] > closest.weight { continue }
    closest = min(
      closest, CandidateEdge(row, column, weight: reachability.weight(row, column)))
  }
  return closest
}
