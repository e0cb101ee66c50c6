public import HDBSCAN
public import Vectors

/// Faces to be grouped into people, and what is known about them beforehand.
///
/// Faces that were fitted come first. Others may follow that were left out of the fit: small or uncertain
/// ones, whose density says nothing. Those are grouped by evidence alone, and are adopted; a group without
/// a fitted face is no cluster.
public struct GroupingInput: Sendable {
  /// n × d unit vectors.
  public var embeddings: Matrix<Float>
  /// How many of them were fitted, f.
  public let fittedCount: Int
  /// Minimum spanning tree of the fit, f − 1 edges by (weight, a, b).
  public var spanningTree: [WeightedEdge]
  /// The hierarchy of the same fit; what was not fitted joins it at an infinite distance.
  public var hierarchy: SingleLinkage
  /// Near neighbours of each face, where the fit is at hand; without them pairs may be missed.
  public var neighbours: NeighbourGraph?
  /// Photo of each face, where known.
  ///
  /// One person is rarely twice in one photo.
  public var photos: [Int64?]
  /// Whom a human said a face is: faces of one number belong together, of two numbers apart.
  public var anchors: [Int64?]
  /// Pairs of faces that a human said are different people.
  public var cannotLink: [(Int, Int)]
  /// When the photo of each face was taken, in seconds, where known.
  public var times: [Double?]
  /// Person of each face so far, where it has one; tells who is meant by ``rejected``.
  public var persons: [Int64?]
  /// Faces of which a human said that they are not a person's.
  public var rejected: [(face: Int, person: Int64)]

  /// Faces of which nothing else is known.
  ///
  /// - Parameter fittedCount: how many of them the tree spans; nil for all.
  public init(
    embeddings: Matrix<Float>, fittedCount: Int? = nil, spanningTree: [WeightedEdge],
    ties: Parameters.Ties = .simultaneous, neighbours: NeighbourGraph? = nil,
    photos: [Int64?]? = nil, anchors: [Int64?]? = nil, cannotLink: [(Int, Int)] = []
  ) {
    let count = embeddings.rows
    self.embeddings = embeddings
    self.fittedCount = fittedCount ?? count
    self.spanningTree = spanningTree
    let beside = (self.fittedCount..<count).map { WeightedEdge(0, $0, weight: .infinity) }
    hierarchy = SingleLinkage(edges: spanningTree + beside, pointCount: count, ties: ties)
    self.neighbours = neighbours
    self.photos = photos ?? [Int64?](repeating: nil, count: count)
    self.anchors = anchors ?? [Int64?](repeating: nil, count: count)
    self.cannotLink = cannotLink
    times = [Double?](repeating: nil, count: count)
    persons = [Int64?](repeating: nil, count: count)
    rejected = []
    precondition(
      self.photos.count == count && self.anchors.count == count, "one entry for each face")
  }

  /// Faces and a fit of the first of them.
  public init(
    embeddings: Matrix<Float>, clustering: Clustering, photos: [Int64?]? = nil,
    anchors: [Int64?]? = nil, cannotLink: [(Int, Int)] = []
  ) {
    self.init(
      embeddings: embeddings, fittedCount: clustering.labels.count,
      spanningTree: clustering.spanningTree, ties: clustering.parameters.ties,
      neighbours: clustering.neighbours, photos: photos, anchors: anchors, cannotLink: cannotLink)
  }
}

extension GroupingInput {
  /// Neighbours of a face that was not fitted, where those of the fit are not at hand.
  private static let usualNeighbours = 6

  /// Looks for the neighbours of the faces that were not fitted, among all faces.
  ///
  /// - Parameters:
  ///   - threads: most threads to use; the result does not depend on it.
  ///   - isCancelled: asked now and then.
  /// - Throws: ``GroupingCancelled``; `HDBSCANError` where the screening kernel cannot be used.
  /// - Complexity: O((n − f) · n · d), as matrix products.
  public mutating func findNeighboursBesideFit(
    threads: Int = availableThreads, isCancelled: () -> Bool = { false }
  ) throws {
    let beside = fittedCount..<embeddings.rows
    if beside.isEmpty { return }
    let fitted = neighbours.flatMap { $0.perPoint > 0 ? $0 : nil }
    let perPoint = fitted?.perPoint ?? Self.usualNeighbours
    var indices = fitted?.indices ?? [Int32](repeating: -1, count: fittedCount * perPoint)
    // One more than is wanted: every face is its own nearest.
    let found = try nearest(
      to: embeddings.rows(beside), count: perPoint + 1, threads: threads, isCancelled)
    for (query, face) in beside.enumerated() {
      let entries = found.indices[query * found.perPoint..<(query + 1) * found.perPoint]
        .filter { $0 != Int32(face) }.prefix(perPoint)
      indices += entries
      indices += [Int32](repeating: -1, count: perPoint - entries.count)
    }
    neighbours = NeighbourGraph(perPoint: perPoint, indices: indices)
  }

  private func nearest(
    to queries: Matrix<Float>, count: Int, threads: Int, _ isCancelled: () -> Bool
  ) throws -> NeighbourGraph {
    do {
      return try nearestNeighbours(
        of: queries, among: embeddings, count: count, threads: threads, isCancelled: isCancelled)
    } catch {
      if error == .cancelled { throw GroupingCancelled() }
      throw error
    }
  }
}

extension GroupingInput {
  /// For each face the faces that are different people.
  var apart: [Int: Set<Int>] {
    var apart: [Int: Set<Int>] = [:]
    for (first, second) in cannotLink {
      apart[first, default: []].insert(second)
      apart[second, default: []].insert(first)
    }
    return apart
  }

  /// Whether some faces cannot be the person of a group: one of them is a different person than one of its
  /// faces, or is in a photo with it.
  ///
  /// - Parameters:
  ///   - apart: ``apart``, which the caller has at hand.
  ///   - heedsPhotos: whether faces of one photo are different people.
  func areApart(
    _ moving: [Int], _ group: [Int], _ apart: [Int: Set<Int>], heedsPhotos: Bool
  ) -> Bool {
    let inPhotos = heedsPhotos ? Set(moving.compactMap { photos[$0] }) : []
    let enemies = moving.reduce(into: Set<Int>()) { $0.formUnion(apart[$1] ?? []) }
    return group.contains { face in
      enemies.contains(face) || photos[face].map { inPhotos.contains($0) } ?? false
    }
  }
}

/// The steps from density to people; each can be left out to see what it is worth.
public struct GroupingSteps: Sendable, Equatable {
  /// Sure groups are taken from the hierarchy by pair evidence; without it all starts from faces.
  public var extraction = true
  /// Thresholds are fitted to the collection; without it those of the prior are used.
  public var calibration = true
  /// Groups that the hierarchy keeps apart are joined.
  public var association = true
  /// Faces that are in no group join one, or each other.
  public var adoption = true
  /// Two faces of one photo speak against a merge, and only one of them stays in a group.
  public var photos = true
  /// Faces are seen from the middle of the people found first.
  public var centring = true
  /// Faces move to the groups that they have the strongest links with.
  public var refinement = true
  /// Near-identical faces have one vote together.
  public var bursts = true

  /// All of them.
  public init() {}
}

/// How far a grouping is; returning false cancels it.
public typealias GroupingProgress = @Sendable (_ fraction: Double) -> Bool

/// A grouping was cancelled by its progress handler.
public struct GroupingCancelled: Error, CustomStringConvertible {
  /// One line.
  public var description: String { "cancelled" }
}
