internal import PersonGrouping
internal import PostgresClient
internal import Store

/// What humans said about the faces of a snapshot, as grouping takes it.
struct HumanKnowledge: Sendable {
  /// Whom a human said a face is: one number, one person.
  var anchors: [Int64?]
  /// Rows of faces that are different people.
  var cannotLink: [(Int, Int)]

  /// Reads it.
  ///
  /// Faces placed by hand and members of verified or split clusters stand for their cluster's person.
  static func read(
    of snapshot: FaceSnapshot, collection: CollectionRecord,
    on connection: isolated PostgresConnection
  ) throws -> HumanKnowledge {
    let live = try ClusterRepository(collection).live(on: connection)
    let clusterRows = Dictionary(uniqueKeysWithValues: live.ids.enumerated().map { ($1, $0) })
    var anchors = snapshot.ids.indices.map { row -> Int64? in
      guard let cluster = snapshot.clusterIDs[row].flatMap({ clusterRows[$0] }) else { return nil }
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
    let forbidden = try review.prohibitions(detections: nil, on: connection).detections
    for (first, others) in forbidden.sorted(by: { $0.key < $1.key }) {
      for second in others.sorted() where first < second {
        if let a = rows[first], let b = rows[second] { cannotLink.append((a, b)) }
      }
    }
    return HumanKnowledge(anchors: anchors, cannotLink: cannotLink)
  }
}
