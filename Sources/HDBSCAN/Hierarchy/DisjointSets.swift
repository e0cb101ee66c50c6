/// Disjoint sets of the integers 0..<count: union by size, paths halved.
struct DisjointSets {
  private var parents: [Int]
  private var counts: [Int]

  /// Makes every integer a set of its own.
  init(count: Int) {
    parents = Array(0..<count)
    counts = [Int](repeating: 1, count: count)
  }

  /// The representative of the set that holds `element`.
  ///
  /// - Complexity: O(α(n)) amortised.
  mutating func find(_ element: Int) -> Int {
    var current = element
    while parents[current] != current {
      parents[current] = parents[parents[current]]
      current = parents[current]
    }
    return current
  }

  /// Joins the sets of two elements; says whether they were different.
  @discardableResult
  mutating func unite(_ first: Int, _ second: Int) -> Bool {
    var larger = find(first)
    var smaller = find(second)
    guard larger != smaller else { return false }
    if counts[larger] < counts[smaller] { swap(&larger, &smaller) }
    parents[smaller] = larger
    counts[larger] += counts[smaller]
    return true
  }

  /// Number of elements in the set of `element`.
  mutating func count(of element: Int) -> Int { counts[find(element)] }
}
