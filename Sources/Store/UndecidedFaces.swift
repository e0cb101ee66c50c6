internal import PostgresClient

/// Faces whose place is open while a stream of faces is decided in order of id.
public struct UndecidedFaces: Sendable {
  /// Faces of the batch at hand.
  public var ids: [Int64]
  /// Faces above this id that will be decided again later; nil where none will.
  public var reassignableAbove: Int64?

  /// The faces of a batch and, when everything is decided again, those after it.
  public init(ids: [Int64], reassignableAbove: Int64?) {
    self.ids = ids
    self.reassignableAbove = reassignableAbove
  }

  /// A condition on `person_detection`, called by no other name, that leaves these faces out; it uses parameters 3 to 5.
  static let exclusion = """
    NOT id = ANY($3)
    AND NOT coalesce(id > $4::bigint AND \(DetectionStatus.isReassignable("person_detection", "$5")), false)
    """

  var parameters: [PostgresValue] {
    [
      .int64Array(ids), .optional(reassignableAbove),
      .textArray(DetectionStatus.reassignable.map(\.rawValue).sorted()),
    ]
  }
}
