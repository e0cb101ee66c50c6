public import Vectors

/// Density-based validity (DBCV) of a clustering.
public struct DensityValidity: Sendable, Equatable {
  /// The mean of the clusters' values weighted by size over *all* points, −1…1; higher is better.
  ///
  /// Noise thus pulls the value towards 0.
  public var index: Double
  /// Labels that were measured, ascending.
  public var labels: [Int]
  /// Value of each of them, −1…1: (separation − sparseness) / max(separation, sparseness).
  public var values: [Double]
}

/// Density-based clustering validation: whether clusters are denser inside than between them.
///
/// Moulavi, Jaskowiak, Campello, Zimek and Sander 2014, doi:10.1137/1.9781611973440.96. The
/// all-points core distance (Σ d⁻ᴰ/(n − 1))^(−1/D) is computed from logarithms, so it neither
/// overflows nor vanishes in high dimension D. Sparseness of a cluster is the heaviest edge between
/// inner nodes of its mutual-reachability tree (of all edges where no edge is inner); separation is
/// the least mutual reachability between inner nodes of it and of another cluster. Edges of equal
/// weight are ordered by distance, so that the order of the points does not matter.
///
/// - Parameters:
///   - points: n × d vectors.
///   - labels: cluster of each; below 0 is noise. A cluster of one point counts as noise.
///   - metric: Euclidean, or cosine, which normalises the vectors first.
///   - threads: most threads to use; the result does not depend on it.
/// - Returns: all values finite; nil with fewer than two clusters.
/// - Throws: ``HDBSCANError`` where the parts do not fit together or rows are unusable.
/// - Complexity: O(n² · d) time, O(n · d) memory.
public func densityValidity(
  _ points: Points, labels: [Int], metric: Parameters.Metric = .euclidean,
  threads: Int = availableThreads
) throws(HDBSCANError) -> DensityValidity? {
  let data = try LabelledRows(points, labels: labels, metric: metric, smallest: 2)
  if data.ranges.count < 2 { return nil }
  let cores = allPointsCoreDistances(data, threads: threads)
  let trees = concurrently(data.ranges.count, threads: threads) { cluster in
    InnerTree(data, data.ranges[cluster], coreDistances: cores)
  }
  let separations = densitySeparations(data, trees, cores, threads: threads)
  var index = 0.0
  let values = trees.indices.map { cluster in
    let (separation, sparseness) = (separations[cluster], trees[cluster].sparseness)
    let larger = max(separation, sparseness)
    let value = larger > 0 ? (separation - sparseness) / larger : 0
    index += value * Double(data.ranges[cluster].count) / Double(data.givenCount)
    return value
  }
  return DensityValidity(index: index, labels: data.labels, values: values)
}

/// Least mutual reachability from the inner nodes of each cluster to those of another.
///
/// - Complexity: O(inner nodes² · d).
private func densitySeparations(
  _ data: LabelledRows, _ trees: [InnerTree], _ cores: [Double], threads: Int
) -> [Double] {
  concurrently(trees.count, threads: threads) { cluster in
    var least = Double.infinity
    for (other, tree) in trees.enumerated() where other != cluster {
      for a in trees[cluster].innerNodes where cores[a] < least {
        for b in tree.innerNodes where cores[b] < least {
          least = min(least, max(cores[a], cores[b], data.distance(a, b)))
        }
      }
    }
    return least
  }
}

/// The values of a function of 0..<count, computed on several threads, in order.
func concurrently<Value: Sendable>(
  _ count: Int, threads: Int, _ value: (_ index: Int) -> Value
) -> [Value] {
  [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
    // Every index is initialised by exactly one call.
    nonisolated(unsafe) let results = buffer
    parallelFor(count, threads: threads) { index in
      results.initializeElement(at: index, to: value(index))
    }
    initialized = count
  }
}
