public import Vectors

/// Bytes that ``averageLinkage(_:threshold:memoryLimit:threads:)`` needs for its distances.
public func averageLinkageMemory(faces: Int) -> Int {
  let (square, overflow) = faces.multipliedReportingOverflow(by: faces)
  let (bytes, overflowToo) = square.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
  return overflow || overflowToo ? .max : bytes
}

/// Agglomeration by average linkage: groups merge while their mean cosine distance is small enough.
///
/// The mean is over all pairs of faces between two groups. Merges are found by the
/// nearest-neighbour chain (Murtagh 1983, doi:10.1093/comjnl/26.4.354); a chain whose end has no
/// group within the threshold is final, because merging elsewhere only moves groups away.
///
/// - Parameters:
///   - vectors: n × d unit vectors.
///   - threshold: cosine distance, inclusive.
///   - memoryLimit: bytes that the n × n distances may take.
///   - threads: most threads to use; the result does not depend on it.
/// - Returns: a label for each face, numbered by first appearance; −1 for a face on its own.
/// - Throws: ``EvaluationError`` where a row is not a unit vector or n × n distances are too many.
/// - Complexity: O(n² · d) as matrix products, then O(n²); memory 4n² bytes.
public func averageLinkage(
  _ vectors: Matrix<Float>, threshold: CosineDistance, memoryLimit: Int = 4 << 30,
  threads: Int = availableThreads
) throws(EvaluationError) -> [Int] {
  try AverageLinkageTree(vectors, upTo: threshold, memoryLimit: memoryLimit, threads: threads)
    .labels(within: threshold)
}

/// All merges of average linkage up to a distance: the groups at any smaller one are a cut of them.
public struct AverageLinkageTree: Sendable {
  private let count: Int
  /// In the order in which they were found: those inside a group before those of the group.
  private let merges: [NeighbourChain.Merge]

  /// Merges groups while their mean cosine distance is small enough.
  ///
  /// Method, complexity and memory are those of ``averageLinkage(_:threshold:memoryLimit:threads:)``.
  ///
  /// - Parameters:
  ///   - vectors: n × d unit vectors.
  ///   - distance: largest cosine distance that is of interest, inclusive.
  ///   - memoryLimit: bytes that the n × n distances may take.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Throws: ``EvaluationError`` where a row is not a unit vector or n × n distances are too many.
  public init(
    _ vectors: Matrix<Float>, upTo distance: CosineDistance, memoryLimit: Int = 4 << 30,
    threads: Int = availableThreads
  ) throws(EvaluationError) {
    try requireUnitRows(vectors)
    if distance.value.isNaN {
      throw .invalidParameter(name: "cosine distance", value: "nan", expected: "0…2")
    }
    let bytes = averageLinkageMemory(faces: vectors.rows)
    if bytes > memoryLimit {
      throw .tooMuchMemory(
        method: "average linkage", faces: vectors.rows, bytes: bytes, limit: memoryLimit)
    }
    var chain = NeighbourChain(vectors, threshold: Float(distance.value), threads: threads)
    count = vectors.rows
    merges = chain.run()
  }

  /// The groups at a cosine distance, inclusive, that is not above the tree's.
  ///
  /// - Returns: a label for each face, numbered by first appearance; −1 for a face on its own.
  /// - Complexity: O(n).
  public func labels(within threshold: CosineDistance) -> [Int] {
    var groups = Groups(count: count)
    for merge in merges where merge.height <= Float(threshold.value) {
      groups.unite(merge.group, merge.other)
    }
    return compactLabels((0..<count).map { groups.find($0) })
  }
}

/// The state of the nearest-neighbour chain: mean distances between the groups that live.
private struct NeighbourChain {
  /// Two groups, named by a face of each, that became one.
  struct Merge: Sendable {
    let group: Int
    let other: Int
    /// Their mean distance, or that of a merge inside of them where rounding made it greater.
    let height: Float
  }

  private let count: Int
  private let threshold: Float
  /// Mean distance between groups, n × n; rows and columns of groups that are gone mean nothing.
  private var distances: [Float]
  private var sizes: [Int]
  /// Height of the last merge of each group.
  private var heights: [Float]
  /// Groups that may still merge, ascending.
  private var living: [Int]

  init(_ vectors: Matrix<Float>, threshold: Float, threads: Int) {
    let count = vectors.rows
    self.count = count
    self.threshold = threshold
    sizes = [Int](repeating: 1, count: count)
    heights = [Float](repeating: -.infinity, count: count)
    living = Array(0..<count)
    distances = [Float](unsafeUninitializedCapacity: count * count) { buffer, written in
      // Each row is written by one thread.
      nonisolated(unsafe) let rows = buffer
      parallelForChunks(count, chunk: 256, threads: threads) { range in
        guard let base = rows.baseAddress.map({ $0 + range.lowerBound * count }) else { return }
        BlockProducts.multiply(
          vectors, rows: range, by: vectors, columns: 0..<count, into: base, stride: count)
        for index in 0..<range.count * count { base[index] = 1 - base[index] }
      }
      written = count * count
    }
    makeSymmetric()
  }

  /// Copies the upper triangle to the lower: products of two rows may differ in the last bit by
  /// the order of the rows, and a chain only ends when both ends see one distance.
  private mutating func makeSymmetric() {
    let tile = 64
    for top in stride(from: 0, to: count, by: tile) {
      for left in stride(from: top, to: count, by: tile) {
        for row in top..<min(top + tile, count) {
          for column in max(left, row + 1)..<max(min(left + tile, count), row + 1) {
            distances[column * count + row] = distances[row * count + column]
          }
        }
      }
    }
  }

  /// Merges all there is to merge.
  mutating func run() -> [Merge] {
    var merges: [Merge] = []
    var chain: [Int] = []
    while let start = chain.last ?? living.first {
      if chain.isEmpty { chain.append(start) }
      let end = chain[chain.count - 1]
      let before = chain.count > 1 ? chain[chain.count - 2] : -1
      let (nearest, distance) = nearestGroup(to: end, preferring: before)
      if nearest < 0 || distance > threshold {
        // Nothing in the chain has anything nearer than the end has.
        retire(chain)
        chain.removeAll()
      } else if nearest == before {
        merge(end, into: before)
        heights[before] = max(distance, heights[end], heights[before])
        merges.append(Merge(group: end, other: before, height: heights[before]))
        chain.removeLast(2)
      } else {
        chain.append(nearest)
      }
    }
    return merges
  }

  /// The nearest living group; a tie goes to `preferred`, so that the chain ends, then to the first.
  private func nearestGroup(to group: Int, preferring preferred: Int) -> (Int, Float) {
    var nearest = preferred
    var least = preferred < 0 ? Float.infinity : distance(group, preferred)
    for other in living where other != group {
      let distance = distance(group, other)
      if distance < least {
        least = distance
        nearest = other
      }
    }
    return (nearest, least)
  }

  private func distance(_ first: Int, _ second: Int) -> Float {
    distances[first * count + second]
  }

  /// Lance and Williams: a mean over a union is the weighted mean of the means.
  private mutating func merge(_ group: Int, into other: Int) {
    let total = Float(sizes[group] + sizes[other])
    let share = Float(sizes[group]) / total
    let rest = Float(sizes[other]) / total
    for third in living where third != group && third != other {
      let mean = share * distance(group, third) + rest * distance(other, third)
      distances[other * count + third] = mean
      distances[third * count + other] = mean
    }
    sizes[other] += sizes[group]
    retire([group])
  }

  private mutating func retire(_ groups: [Int]) {
    let gone = Set(groups)
    living.removeAll { gone.contains($0) }
  }
}
