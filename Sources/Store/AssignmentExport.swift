public import PostgresClient

/// One detection as `photodb export assignments` shows it.
public struct AssignmentRow: Sendable, Equatable {
  /// Id of the detection.
  public var detectionID: Int64
  /// Id that the detection stage gave.
  public var externalID: String
  /// Path of the face's photo.
  public var photo: String?
  /// Cluster that the face belongs to; nil while it waits.
  public var clusterID: Int64?
  /// Person of that cluster.
  public var personID: Int64?
  /// Name of that person, where there is one.
  public var person: String?
  /// Status as docs/states.md lists them; nil for a new face.
  public var status: String?
  /// Strength of the assignment, 0…1.
  public var confidence: Float?
  /// Who decided last: bootstrap, predict, epsilon_ball, pool or manual.
  public var tier: String?
  /// Density (1/Euclidean distance) at which the face left its cluster in the fit.
  public var lambda: Float?
  /// GLOSH outlier score, 0 (inlier) … 1.
  public var outlierScore: Float?
  /// Why the face takes no part in a bootstrap; nil where it does.
  public var reason: String?
}

/// Reads every detection with where it belongs.
public struct AssignmentExport: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord
  private let eligibility: Eligibility

  /// An export of one collection.
  ///
  /// - Parameter eligibility: what a bootstrap takes.
  public init(_ collection: CollectionRecord, eligibility: Eligibility) {
    self.collection = collection
    self.eligibility = eligibility
  }

  /// Hands over every detection by id; streamed.
  public func read(
    on connection: isolated PostgresConnection, row handle: (AssignmentRow) throws -> Void
  ) throws {
    _ = try connection.copyOut(
      """
      COPY (
        SELECT d.external_id, (SELECT f.path FROM photo f
            WHERE f.collection_id = d.collection_id AND f.id = d.photo_id),
          d.cluster_id, d.person_id, (SELECT p.name FROM person p
            WHERE p.collection_id = d.collection_id AND p.id = d.person_id), d.cluster_status,
          d.cluster_confidence, d.assigned_tier, d.lambda_val, d.outlier_score, d.id,
          \(eligibility.reason)
        FROM person_detection d
        WHERE d.collection_id = \(collection.id) ORDER BY d.id
      ) TO STDOUT (FORMAT binary)
      """
    ) { row in
      try handle(
        AssignmentRow(
          detectionID: try row.int64(10), externalID: try row.text(0),
          photo: try row.optionalText(1),
          clusterID: try row.optionalInt64(2),
          personID: try row.optionalInt64(3),
          person: try row.optionalText(4),
          status: try row.optionalText(5),
          confidence: try row.optionalFloat(6),
          tier: try row.optionalText(7),
          lambda: try row.optionalFloat(8),
          outlierScore: try row.optionalFloat(9),
          reason: try row.optionalText(11)))
    }
  }
}
