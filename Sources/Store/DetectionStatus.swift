/// Where a face stands; a face with no status is new.
///
/// docs/states.md draws the transitions.
public enum DetectionStatus: String, Sendable, Hashable, Codable, CaseIterable {
  /// Assigned by tier 1, tier 2 or the pool.
  case auto
  /// Assigned by a bootstrap.
  case hdbscan
  /// Assigned by a bootstrap, as a core member.
  case hdbscanCore = "hdbscan_core"
  /// Candidates wait for a decision.
  case pending
  /// In the pool: no cluster is near.
  case unassigned
  /// In the pool: what people said removed every cluster that was near.
  case constrained
  /// A human said where it belongs; terminal for algorithms.
  case manual
  /// The embedding is unusable; the reason is stored.
  case invalid

  /// Whether a face of this status belongs to a cluster.
  public var isAssigned: Bool {
    switch self {
    case .auto, .hdbscan, .hdbscanCore, .manual: true
    case .pending, .unassigned, .constrained, .invalid: false
    }
  }

  /// The statuses that an algorithm may overwrite; `NULL` may be too.
  public static let openToAlgorithms: Set<DetectionStatus> = [
    .auto, .hdbscan, .hdbscanCore, .pending, .unassigned, .constrained,
  ]

  /// The statuses that `photodb assign --force` decides again.
  public static let reassignable: Set<DetectionStatus> = [
    .auto, .pending, .unassigned, .constrained,
  ]

  /// Whether `photodb assign --force` decides a face again, as SQL: verified and anchored clusters keep theirs.
  ///
  /// - Parameters:
  ///   - face: what the row of `person_detection` is called.
  ///   - statuses: the parameter that holds ``reassignable``.
  static func isReassignable(_ face: String, _ statuses: String) -> String {
    """
    (\(face).cluster_status = ANY(\(statuses)) AND NOT EXISTS (SELECT FROM cluster kept
      WHERE kept.collection_id = \(face).collection_id AND kept.id = \(face).cluster_id
        AND (kept.verified OR kept.anchored)))
    """
  }

  /// The statuses of the pool, as SQL has them; its indexes know `in_pool` and no status.
  static let pool = "('unassigned', 'constrained')"

  /// What `pooled_in` becomes, as SQL, where a face `d` changes its status.
  ///
  /// Every statement that may put a face into the pool sets it: by it those who remember the pool find
  /// who joined.
  static func pooledIn(becoming status: String) -> String {
    """
    CASE WHEN \(status) IN \(pool) AND (d.cluster_status IS NULL OR d.cluster_status NOT IN \(pool))
      THEN pg_current_xact_id() ELSE d.pooled_in END
    """
  }
}
