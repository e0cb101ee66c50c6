/// Something that a human did, or a program that joined persons, as the log keeps it.
public struct HumanActionRecord: Sendable, Equatable {
  /// Id within the collection.
  public var id: Int64
  /// assign, reject, accept_candidate, reject_candidate, name, merge, split, separate, verify, hide,
  /// represent, activate, associate or undo.
  public var kind: String
  /// Who did it, where that is known.
  public var actor: String?
  /// One line for people.
  public var summary: String
  /// What programs need of it, as JSON.
  public var detailsJSON: String
  /// The action that this one took back.
  public var undoes: Int64?
  /// The action that took this one back.
  public var undoneBy: Int64?
  /// Seconds since 1970.
  public var occurredAt: Double
}

/// The rows that an action may change: everything in it is compared before and after.
public struct ActionScope: Sendable, Equatable {
  /// Faces, with their questions and what is forbidden for them.
  public var detections: Set<Int64>
  /// Clusters.
  public var clusters: Set<Int64>
  /// Persons, with what is forbidden for them.
  public var persons: Set<Int64>
  /// What the action says of rows in it, also where it was so before.
  var said: [Statement] = []

  struct Statement: Sendable, Equatable {
    let entity: LoggedEntity
    let key: String
    let id: Int64
  }

  /// A scope; what is not named is empty.
  public init(
    detections: Set<Int64> = [], clusters: Set<Int64> = [], persons: Set<Int64> = []
  ) {
    self.detections = detections
    self.clusters = clusters
    self.persons = persons
  }

  /// Notes what the action says of rows of the scope, so that it counts even if it was so before.
  ///
  /// - Parameter key: the column that it is about; any word where a row says it by being there.
  public mutating func say(_ key: String, of entity: LoggedEntity, _ ids: some Sequence<Int64>) {
    said += ids.map { Statement(entity: entity, key: key, id: $0) }
  }
}

/// A kind of row that the log keeps images of.
public enum LoggedEntity: String, CaseIterable, Sendable {
  case person, cluster, detection, candidate, prohibition, constraint

  /// Table of the rows.
  var table: String {
    switch self {
    case .person: "person"
    case .cluster: "cluster"
    case .detection: "person_detection"
    case .candidate: "face_match_candidate"
    case .prohibition: "cluster_person_cannot_link"
    case .constraint: "detection_constraint"
    }
  }

  /// Which rows `t` of the table a scope covers; parameters 3 to 5 are faces, clusters and persons.
  var scope: String {
    switch self {
    case .person: "t.id = ANY($5)"
    case .cluster: "t.id = ANY($4)"
    case .detection: "t.id = ANY($3)"
    case .candidate: "t.detection_id = ANY($3)"
    case .prohibition: "(t.detection_id = ANY($3) OR t.person_id = ANY($5))"
    case .constraint: "(t.detection_a_id = ANY($3) OR t.detection_b_id = ANY($3))"
    }
  }

  /// Image of a row `t`.
  ///
  /// The person of a face is that of its cluster, and three columns follow its status, so no image holds them;
  /// nor when a cluster changed, which undo changes, too.
  var image: String {
    switch self {
    case .detection: "to_jsonb(t) - '{person_id,is_new,in_pool,is_pending}'::text[]"
    case .cluster: "to_jsonb(t) - 'changed_in'"
    default: "to_jsonb(t)"
    }
  }
}
