internal import Glibc

/// How many faces of each identity each cluster holds; noise is kept apart.
struct ContingencyTable {
  private struct Cell: Hashable {
    var cluster: Int
    var identity: Int
  }

  private(set) var faces = 0
  private(set) var noise = 0
  private(set) var clusterSizes: [Int: Int] = [:]
  private(set) var identitySizes: [Int: Int] = [:]
  private var cells: [Cell: Int] = [:]
  /// Noise faces of each identity: clusters of one.
  private var noiseSizes: [Int: Int] = [:]

  init(labels: [Int], truth: [Int]) {
    for (label, identity) in zip(labels, truth) where identity >= 0 {
      faces += 1
      identitySizes[identity, default: 0] += 1
      if label < 0 {
        noise += 1
        noiseSizes[identity, default: 0] += 1
      } else {
        clusterSizes[label, default: 0] += 1
        cells[Cell(cluster: label, identity: identity), default: 0] += 1
      }
    }
  }

  /// Dictionaries have no fixed order; sums of integers do not care, sums of doubles would.
  private var orderedCells: [(key: Cell, value: Int)] {
    cells.sorted { ($0.key.cluster, $0.key.identity) < ($1.key.cluster, $1.key.identity) }
  }

  private var pairsTogether: (right: Int, clustered: Int, true: Int) {
    (
      cells.values.reduce(0) { $0 + pairs($1) }, clusterSizes.values.reduce(0) { $0 + pairs($1) },
      identitySizes.values.reduce(0) { $0 + pairs($1) }
    )
  }

  var pairwise: PrecisionRecall {
    let count = pairsTogether
    return PrecisionRecall(
      precision: count.clustered == 0 ? 1 : Double(count.right) / Double(count.clustered),
      recall: count.true == 0 ? 1 : Double(count.right) / Double(count.true))
  }

  var bcubed: PrecisionRecall {
    if faces == 0 { return PrecisionRecall(precision: 1, recall: 1) }
    var precision = Double(noise)
    var recall = 0.0
    for (cell, count) in orderedCells {
      let square = Double(count) * Double(count)
      precision += square / Double(clusterSizes[cell.cluster] ?? count)
      recall += square / Double(identitySizes[cell.identity] ?? count)
    }
    for (identity, count) in noiseSizes.sorted(by: { $0.key < $1.key }) {
      recall += Double(count) / Double(identitySizes[identity] ?? count)
    }
    return PrecisionRecall(precision: precision / Double(faces), recall: recall / Double(faces))
  }

  var adjustedRand: Double {
    let count = pairsTogether
    let all = Double(pairs(faces))
    if all == 0 { return 1 }
    let expected = Double(count.clustered) * Double(count.true) / all
    let largest = (Double(count.clustered) + Double(count.true)) / 2
    // Both sides put everything together, or both put nothing together.
    return largest == expected ? 1 : (Double(count.right) - expected) / (largest - expected)
  }

  var normalisedMutualInformation: Double {
    if faces == 0 { return 1 }
    let total = Double(faces)
    func entropy(_ sizes: [Int]) -> Double {
      sizes.sorted().reduce(0) { $0 - Double($1) / total * log(Double($1) / total) }
    }
    let clustered = entropy(Array(clusterSizes.values) + Array(repeating: 1, count: noise))
    let known = entropy(Array(identitySizes.values))
    let joint = entropy(Array(cells.values) + Array(repeating: 1, count: noise))
    if clustered + known == 0 { return 1 }
    return min(max(2 * (clustered + known - joint) / (clustered + known), 0), 1)
  }

  var work: (merges: Int, removals: Int) {
    var majority: [Int: (identity: Int, count: Int)] = [:]
    // In order of identity, so that a tie stays with the smaller one.
    for (cell, count) in orderedCells where count > majority[cell.cluster]?.count ?? 0 {
      majority[cell.cluster] = (cell.identity, count)
    }
    let removals = majority.reduce(0) { sum, entry in
      sum + (clusterSizes[entry.key] ?? 0) - entry.value.count
    }
    let led = Set(majority.values.map(\.identity)).count
    return (majority.count - led, removals)
  }

  var facesToPlace: Int {
    noiseSizes.reduce(0) { $0 + ((identitySizes[$1.key] ?? 0) > 1 ? $1.value : 0) }
  }
}

private func pairs(_ count: Int) -> Int { count * (count - 1) / 2 }
