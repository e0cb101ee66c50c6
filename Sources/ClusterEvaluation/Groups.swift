/// Disjoint groups of the integers 0..<count: union by size, paths halved.
struct Groups {
  private var parents: [Int]
  private var counts: [Int]

  /// Makes every integer a group of its own.
  init(count: Int) {
    parents = Array(0..<count)
    counts = [Int](repeating: 1, count: count)
  }

  /// The representative of the group that holds `element`.
  mutating func find(_ element: Int) -> Int {
    var current = element
    while parents[current] != current {
      parents[current] = parents[parents[current]]
      current = parents[current]
    }
    return current
  }

  /// Joins the groups of two elements.
  mutating func unite(_ first: Int, _ second: Int) {
    var larger = find(first)
    var smaller = find(second)
    if larger == smaller { return }
    if counts[larger] < counts[smaller] { swap(&larger, &smaller) }
    parents[smaller] = larger
    counts[larger] += counts[smaller]
  }
}

/// Labels 0… by first appearance for groups of two or more; −1 for whatever is alone.
func compactLabels(_ groups: [Int]) -> [Int] {
  var sizes: [Int: Int] = [:]
  for group in groups { sizes[group, default: 0] += 1 }
  var labels: [Int: Int] = [:]
  return groups.map { group in
    if sizes[group] == 1 { return -1 }
    if let label = labels[group] { return label }
    labels[group] = labels.count
    return labels.count - 1
  }
}
