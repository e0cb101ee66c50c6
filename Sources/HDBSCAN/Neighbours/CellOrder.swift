internal import Vectors

/// An order of the rows in which near rows tend to lie together, found at little cost.
///
/// Every row joins the cell of its nearest centre among about √(n/2) sampled rows, and cells follow
/// each other as the leaves of the centres' own spanning tree. The order decides how much the search
/// for neighbours costs, never what it finds, so approximate products serve.
///
/// - Parameters:
///   - screen: the rows in their own order.
/// - Complexity: O(n · √n · d) multiplications in matrix products.
func cellOrder<Scalar: ExactScalar, Source: ScreeningSource>(
  of rows: DistinctRows<Scalar>, screen: Source, threads: Int
) -> [Int] {
  let count = rows.count
  if count <= tileSize { return Array(0..<count) }
  let cells = max(Int((Double(count) / 2).squareRoot()), 1)
  let centres = (0..<cells).map { $0 * count / cells }
  let cellOfRow = nearestCentres(screen.selecting(centres), screen: screen, threads: threads)
  var rank = [Int](repeating: 0, count: cells)
  for (place, cell) in leafOrder(of: centres, rows).enumerated() { rank[cell] = place }
  // Counting sort by the rank of the cell.
  var starts = [Int](repeating: 0, count: cells + 1)
  for cell in cellOfRow { starts[rank[Int(cell)] + 1] += 1 }
  for place in 0..<cells { starts[place + 1] += starts[place] }
  var order = [Int](repeating: 0, count: count)
  for (row, cell) in cellOfRow.enumerated() {
    order[starts[rank[Int(cell)]]] = row
    starts[rank[Int(cell)]] += 1
  }
  return order
}

/// The centre that looks nearest to each row.
private func nearestCentres<Source: ScreeningSource>(
  _ centres: Source, screen: Source, threads: Int
) -> [Int32] {
  var cells = [Int32](repeating: 0, count: screen.count)
  let blocks = Blocks(rows: screen.count)
  let groups = Blocks(rows: centres.count)
  cells.withUnsafeMutableBufferPointer { cells in
    let target = cells
    parallelFor(blocks.count, threads: threads, makeScratch: TileScratch<Source.Bound>.init) {
      block, scratch in
      let columns = blocks.range(block)
      // The reaches serve as the closeness of the best centre so far.
      let best = scratch.columnReach
      for group in 0..<groups.count {
        let range = groups.range(group)
        centres.products(range, with: screen, columns, into: scratch.products, stride: tileSize)
        for centre in range {
          let products = scratch.products + (centre - range.lowerBound) * tileSize
          let half = centres.halfLower[centre]
          for column in 0..<columns.count {
            let closeness = products[column] - half
            if centre == 0 || closeness > best[column] {
              best[column] = closeness
              target[columns.lowerBound + column] = Int32(centre)
            }
          }
        }
      }
    }
  }
  return cells
}

/// The centres in the leaf order of their minimum spanning tree.
private func leafOrder<Scalar: ExactScalar>(
  of centres: [Int], _ rows: DistinctRows<Scalar>
) -> [Int] {
  var edges: [CandidateEdge] = []
  edges.reserveCapacity(centres.count * centres.count / 2)
  for (place, centre) in centres.enumerated() {
    for other in 0..<place {
      edges.append(
        CandidateEdge(other, place, weight: rows.squaredDistance(centres[other], centre)))
    }
  }
  let tree = minimumSpanningForest(edges, count: centres.count).edges
  return LeafOrder(tree: tree, count: centres.count).rows
}
