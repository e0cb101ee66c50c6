/// Finds, for one query, its core distance and the training row of least mutual reachability.
///
/// Rows are offered in any order with their exact distances. Only rows within ``reach`` need be
/// offered: it shrinks as rows come, and no row beyond it can matter.
struct ReachabilitySearch {
  /// A row that may still be the answer.
  private struct Candidate {
    /// max(core distance of the row, distance / alpha): mutual reachability but for the query.
    var floor: Double
    var distance: Double
    var row: Int

    func isNearer(than other: Candidate) -> Bool {
      (distance, row) < (other.distance, other.row)
    }
  }

  private let alpha: Double
  /// Weight of training points that the core distance takes in.
  private let neededWeight: Int
  /// The nearest rows, ascending by distance, whose weights are needed to reach `neededWeight`.
  private(set) var nearest: [(distance: Double, row: Int, weight: Int)] = []
  private var weightOfNearest = 0
  /// Candidates none of which is beaten in both floor and distance; floors ascend, distances fall.
  private var front: [Candidate] = []
  /// Upper bounds on core distance and least floor that came from elsewhere.
  private var boundOnCore = Double.infinity
  private var boundOnFloor = Double.infinity
  /// The first training row with exactly the query's values.
  private(set) var identicalRow: Int?

  init(neededWeight: Int, alpha: Double) {
    self.neededWeight = neededWeight
    self.alpha = alpha
  }

  /// Largest distance at which a row can still change the answer.
  ///
  /// Farther rows are not among the nearest, and their floor exceeds the mutual reachability of a
  /// row that is known already. The slack covers the roundings of quotient and product: the row whose
  /// distance gave the floor must itself be within reach.
  var reach: Double {
    let core = min(coreDistance, boundOnCore)
    let floor = max(core, min(front.first?.floor ?? .infinity, boundOnFloor))
    return max(core, alpha * floor * (1 + 0x1p-48))
  }

  /// Distance within which the nearest rows have the needed weight; infinite until they have.
  private var coreDistance: Double {
    weightOfNearest >= neededWeight ? nearest.last?.distance ?? .infinity : .infinity
  }

  /// Notes that `neededWeight` rows lie within `core`, and that a row's floor is `floor`.
  mutating func bound(core: Double, floor: Double) {
    boundOnCore = min(boundOnCore, core)
    boundOnFloor = min(boundOnFloor, floor)
  }

  /// Takes a row into account; each row is offered at most once.
  mutating func offer(row: Int, distance: Double, coreDistance: Double, weight: Int) {
    if distance == 0 { identicalRow = min(identicalRow ?? row, row) }
    offerNeighbour(distance: distance, row: row, weight: weight)
    offerCandidate(
      Candidate(floor: max(coreDistance, distance / alpha), distance: distance, row: row))
  }

  /// Takes into account what was found for the same query among other rows.
  mutating func merge(_ other: ReachabilitySearch) {
    if let row = other.identicalRow { identicalRow = min(identicalRow ?? row, row) }
    bound(core: other.boundOnCore, floor: other.boundOnFloor)
    for neighbour in other.nearest {
      offerNeighbour(distance: neighbour.distance, row: neighbour.row, weight: neighbour.weight)
    }
    for candidate in other.front { offerCandidate(candidate) }
  }

  private mutating func offerNeighbour(distance: Double, row: Int, weight: Int) {
    // Of equally near rows the smaller index is nearer, in whatever order they come.
    if weightOfNearest < neededWeight
      || nearest.last.map({ (distance, row) < ($0.distance, $0.row) }) ?? true
    {
      let place = nearest.partitioningIndex { ($0.distance, $0.row) > (distance, row) }
      nearest.insert((distance, row, weight), at: place)
      weightOfNearest += weight
      while let last = nearest.last, weightOfNearest - last.weight >= neededWeight {
        nearest.removeLast()
        weightOfNearest -= last.weight
      }
    }
  }

  private mutating func offerCandidate(_ candidate: Candidate) {
    let place = front.partitioningIndex { $0.floor > candidate.floor }
    if place > 0 && !candidate.isNearer(than: front[place - 1]) { return }
    // What has a floor as high and is not nearer is beaten.
    var end = place
    while end < front.count && !front[end].isNearer(than: candidate) { end += 1 }
    var start = place
    if start > 0 && front[start - 1].floor == candidate.floor { start -= 1 }
    front.replaceSubrange(start..<end, with: CollectionOfOne(candidate))
  }

  /// The row of least mutual reachability; ties go to the nearer row, then to the smaller index.
  ///
  /// Nil when no row was offered. Where the rows together weigh less than is needed, the core
  /// distance takes in all of them.
  func result() -> (row: Int, mutualReachability: Double)? {
    let core = nearest.last?.distance ?? 0
    let beyond = front.partitioningIndex { $0.floor > core }
    guard let best = beyond > 0 ? front[beyond - 1] : front.first else { return nil }
    return (best.row, max(core, best.floor))
  }
}
