internal import PersonGrouping
internal import PostgresClient
internal import Store

/// What humans said about the faces of a snapshot, as grouping takes it.
struct HumanKnowledge: Sendable {
  /// Whom a human said a face is: one number, one person.
  var anchors: [Int64?]
  /// Rows of faces that are different people.
  var cannotLink: [(Int, Int)]
  /// Person of each face so far.
  var persons: [Int64?]
  /// Faces that are not a person's.
  var rejected: [(face: Int, person: Int64)]

  /// Reads it.
  ///
  /// Faces placed by hand and members of clusters that people verified or drew stand for their cluster's person.
  static func read(
    of snapshot: FaceSnapshot, collection: CollectionRecord,
    on connection: isolated PostgresConnection
  ) throws -> HumanKnowledge {
    let live = try ClusterRepository(collection).live(on: connection)
    let clusterRows = Dictionary(uniqueKeysWithValues: live.ids.enumerated().map { ($1, $0) })
    let clusters = snapshot.clusterIDs.map { id in id.flatMap { clusterRows[$0] } }
    let persons = clusters.map { cluster in cluster.map { live.personIDs[$0] } }
    var anchors = snapshot.ids.indices.map { row -> Int64? in
      guard let cluster = clusters[row] else { return nil }
      let isKnown = snapshot.statuses[row] == .manual || live.holdsMembers(cluster)
      return isKnown ? live.personIDs[cluster] : nil
    }
    let rows = Dictionary(uniqueKeysWithValues: snapshot.ids.enumerated().map { ($1, $0) })
    let review = ReviewRepository(collection)
    // Two faces that are one person and nobody known get a number that no person has.
    for (first, second) in try review.mustLinks(on: connection) {
      guard let a = rows[first], let b = rows[second] else { continue }
      let anchor = anchors[a] ?? anchors[b] ?? -first
      anchors[a] = anchors[a] ?? anchor
      anchors[b] = anchors[b] ?? anchor
    }
    var cannotLink: [(Int, Int)] = []
    let forbidden = try review.prohibitions(detections: nil, on: connection)
    for (first, others) in forbidden.detections.sorted(by: { $0.key < $1.key }) {
      for second in others.sorted() where first < second {
        if let a = rows[first], let b = rows[second] { cannotLink.append((a, b)) }
      }
    }
    var rejected: [(face: Int, person: Int64)] = []
    for (detection, others) in forbidden.persons.sorted(by: { $0.key < $1.key }) {
      guard let row = rows[detection] else { continue }
      rejected += others.sorted().map { (row, $0) }
    }
    return HumanKnowledge(
      anchors: anchors, cannotLink: cannotLink, persons: persons, rejected: rejected)
  }
}
