import Testing
import Vectors

@testable import HDBSCAN

@Suite struct NeighboursTests {
  @Test(arguments: Geometry.allCases, [1, 4, 70])
  func listsHoldTheNearestByRadiusAndIndex(geometry: Geometry, capacity: Int) throws {
    // Two columns: a small grid, where radii tie everywhere.
    for columns in [2, 20] {
      let matrix = floatMatrix(geometry.rows(700, columns, seed: 42))
      let rows = DistinctRows(matrix, threads: 2)
      let wanted = min(capacity, rows.count - 1)
      let blocks = Blocks(rows: rows.count)
      let screen = CentredRows(rows, frame: CentredFrame(rows, threads: 2), threads: 2)
      let lists = NeighbourLists(count: rows.count, capacity: wanted)
      let diagonal = (0..<blocks.count).map { [($0, $0)] }
      // A part of the pairs, then all, those included; positions are not rows.
      for (order, tiles) in [
        (Array(0..<rows.count), diagonal),
        (Array((0..<rows.count).reversed()), blocks.squares(side: 1) + diagonal),
      ] {
        let search = PairSearch(
          rows: rows, order: order, gaps: nil, alpha: 1, screen: screen.selecting(order),
          lists: lists)
        let found = search.search(tiles[...], threads: 2, completed: {}, isCancelled: { false })
        #expect(found.edges.isEmpty)
        for row in 0..<rows.count {
          lists.sort(row)
          lists.unsort(row)
        }
      }
      for row in 0..<rows.count { lists.sort(row) }
      for row in 0..<rows.count {
        let nearest = (0..<rows.count).filter { $0 != row }
          .map { (rows.squaredDistance(row, $0), $0) }.sorted { $0 < $1 }.prefix(wanted)
        #expect((0..<wanted).map { lists.neighbour(row, $0) } == nearest.map(\.1))
        #expect((0..<wanted).map { lists.radius(row, $0) } == nearest.map(\.0))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 9, 64, 65], [1, 3, 4])
  func squaresHoldEveryPairOfBlocksOnce(count: Int, side: Int) {
    let squares = Blocks(rows: count * tileSize - 1).squares(side: side)
    let pairs = squares.flatMap { $0 }.map { $0.0 * count + $0.1 }
    let expected = (0..<count).flatMap { first in
      (first + 1..<max(count, first + 1)).map { first * count + $0 }
    }
    #expect(pairs.sorted() == expected)
    #expect(squares.allSatisfy { (1...side * side).contains($0.count) })
  }

  @Test(arguments: 1...9)
  func aListKeepsTheLeastWhateverTheOrder(capacity: Int) {
    var random = SplitMix64(state: 43)
    for count in 0..<30 {
      let offers = (0..<count).map { (Double($0 % 4), $0) }
      let lists = NeighbourLists(count: 1, capacity: capacity)
      for (place, offer) in offers.shuffled(using: &random).enumerated() {
        if place == count / 2 {
          lists.sort(0)
          lists.unsort(0)
        }
        lists.offer(0, neighbour: offer.1, radius: offer.0)
      }
      lists.sort(0)
      let kept = (0..<lists.length(0)).map { lists.neighbour(0, $0) }
      #expect(kept == offers.sorted { $0 < $1 }.prefix(capacity).map(\.1))
      for (radius, neighbour) in offers {
        #expect(
          lists.contains(0, neighbour: neighbour, radius: radius) == kept.contains(neighbour))
        #expect(lists.radius(0, of: neighbour) == (kept.contains(neighbour) ? radius : nil))
      }
    }
  }

  @Test func distinctRowsKnowTheirCopies() {
    let matrix = floatMatrix([[1, 2], [3, 4], [1, 2], [-0.0, 0], [0, 0], [3, 4], [3, 4]])
    let rows = DistinctRows(matrix, threads: 1)
    #expect(rows.firstPoints == [0, 1, 3])
    #expect(rows.rowOfPoint == [0, 1, 0, 2, 2, 1, 1])
    #expect(rows.totalWeights(nil) == [2, 3, 2])
    #expect(rows.totalWeights([1, 2, 3, 4, 5, 6, 7]) == [4, 15, 9])
    #expect(DistinctRows(floatMatrix([[1], [2]]), threads: 1).rowOfPoint == nil)
  }

  @Test func coreRadiiCountWeights() {
    let lists = NeighbourLists(count: 1, capacity: 3)
    for (neighbour, radius) in [(1, 0.5), (2, 1.5), (3, 2.5)] {
      lists.offer(0, neighbour: neighbour, radius: radius)
    }
    lists.sort(0)
    #expect(coreRadii(lists, weights: nil, minSamples: 2) == [1.5])
    #expect(coreRadii(lists, weights: [1, 1, 3, 1], minSamples: 4) == [1.5])
    #expect(coreRadii(lists, weights: [3, 1, 1, 1], minSamples: 2) == [0])
    #expect(coreRadii(lists, weights: [3, 1, 1, 1], minSamples: 3) == [0.5])
  }
}
