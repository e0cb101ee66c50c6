/// The k nearest other rows of every row, by (radius, index); a radius is a distance or its square.
///
/// While lists fill, each is a binary max-heap, so that an offer costs O(log k). Offers for
/// different rows may come from different threads; offers for one row must not overlap.
final class NeighbourLists {
  /// Number of lists, n.
  let count: Int
  /// Length of a full list, k.
  let capacity: Int
  private let radii: UnsafeMutablePointer<Double>
  private let indices: UnsafeMutablePointer<Int32>
  private let lengths: UnsafeMutablePointer<Int32>

  /// Empty lists: 12 · n · k bytes.
  init(count: Int, capacity: Int) {
    self.count = count
    self.capacity = capacity
    radii = .allocate(capacity: max(count * capacity, 1))
    indices = .allocate(capacity: max(count * capacity, 1))
    lengths = .allocate(capacity: max(count, 1))
    lengths.initialize(repeating: 0, count: count)
  }

  deinit {
    radii.deallocate()
    indices.deallocate()
    lengths.deallocate()
  }

  /// Number of neighbours that a row has so far.
  func length(_ row: Int) -> Int { Int(lengths[row]) }

  /// Radius of the worst entry of a full list; infinity while there is room.
  func worst(_ row: Int) -> Double {
    length(row) == capacity ? radii[row * capacity] : .infinity
  }

  /// Radius of a neighbour that a list holds; nil where it does not hold it.
  ///
  /// - Complexity: O(k).
  func radius(_ row: Int, of neighbour: Int) -> Double? {
    let start = row * capacity
    let wanted = Int32(neighbour)
    let end = start + Int(lengths[row])
    if capacity <= 16 {
      for entry in start..<end where indices[entry] == wanted { return radii[entry] }
      return nil
    }
    // Without an early end the loop takes several entries at a time.
    var place = -1
    for entry in start..<end where indices[entry] == wanted { place = entry }
    return place < 0 ? nil : radii[place]
  }

  /// Enters a neighbour if it is among the k best so far; says whether the list changed.
  ///
  /// A neighbour that the list holds must not be offered again.
  @discardableResult
  func offer(_ row: Int, neighbour: Int, radius: Double) -> Bool {
    let start = row * capacity
    let key = (radius, Int32(neighbour))
    let length = Int(lengths[row])
    if length < capacity {
      // Sift up.
      var hole = length
      while hole > 0 {
        let above = (hole - 1) / 2
        let entry = (radii[start + above], indices[start + above])
        if entry >= key { break }
        (radii[start + hole], indices[start + hole]) = entry
        hole = above
      }
      (radii[start + hole], indices[start + hole]) = key
      lengths[row] += 1
      return true
    }
    if key >= (radii[start], indices[start]) { return false }
    siftDown(key, start: start, length: capacity)
    return true
  }

  /// Replaces the root of a heap of `length` entries.
  private func siftDown(_ key: (Double, Int32), start: Int, length: Int) {
    var hole = 0
    while true {
      var below = 2 * hole + 1
      if below >= length { break }
      if below + 1 < length,
        (radii[start + below], indices[start + below])
          < (radii[start + below + 1], indices[start + below + 1])
      {
        below += 1
      }
      let entry = (radii[start + below], indices[start + below])
      if key >= entry { break }
      (radii[start + hole], indices[start + hole]) = entry
      hole = below
    }
    (radii[start + hole], indices[start + hole]) = key
  }

  /// Turns the heap of a row into an ascending list; no offer may follow before `unsort`.
  func sort(_ row: Int) {
    let start = row * capacity
    var length = Int(lengths[row])
    while length > 1 {
      length -= 1
      let last = (radii[start + length], indices[start + length])
      (radii[start + length], indices[start + length]) = (radii[start], indices[start])
      siftDown(last, start: start, length: length)
    }
  }

  /// Turns a sorted list into a heap again: a descending list is one.
  func unsort(_ row: Int) {
    var (left, right) = (row * capacity, row * capacity + length(row) - 1)
    while left < right {
      (radii[left], radii[right]) = (radii[right], radii[left])
      (indices[left], indices[right]) = (indices[right], indices[left])
      (left, right) = (left + 1, right - 1)
    }
  }

  /// Writes the list of a row, ascending, whether it is a heap still or sorted.
  ///
  /// - Complexity: O(k log k).
  func copyAscending(_ row: Int, to list: inout [(radius: Double, neighbour: Int)]) {
    let start = row * capacity
    list.removeAll(keepingCapacity: true)
    for entry in start..<start + length(row) { list.append((radii[entry], Int(indices[entry]))) }
    list.sort { $0 < $1 }
  }

  /// Neighbour number `rank` (from 0) of a sorted list.
  func neighbour(_ row: Int, _ rank: Int) -> Int { Int(indices[row * capacity + rank]) }

  /// Radius of neighbour number `rank` (from 0) of a sorted list.
  func radius(_ row: Int, _ rank: Int) -> Double { radii[row * capacity + rank] }

  /// Whether the sorted list of a row holds a neighbour that lies at this radius.
  ///
  /// A list holds the least entries by (radius, index), so its last entry decides.
  func contains(_ row: Int, neighbour: Int, radius: Double) -> Bool {
    let last = length(row) - 1
    return last >= 0 && (radius, neighbour) <= (self.radius(row, last), self.neighbour(row, last))
  }
}
