internal import HDBSCAN
internal import Store

/// The full condensed tree of a run, with the faces at its leaves.
public struct RunTree: Sendable {
  /// One row: at `lambda` the child of `size` points leaves the parent.
  public struct Row: Sendable, Codable, Equatable {
    /// Node that is left; the root's id is the number of points.
    public var parent: Int
    /// Node or point that leaves; below the number of points it is a point.
    public var child: Int
    /// 1/Euclidean distance; infinite where points coincide.
    public var lambda: Double
    /// Points below the child.
    public var size: Int
    /// Detection of a point.
    @OrNull public var detectionID: Int64?
    /// Its external id; nil where it was deleted since.
    @OrNull public var externalID: String?

    enum CodingKeys: String, CodingKey {
      case parent, child, lambda, size
      case detectionID = "detection_id"
      case externalID = "external_id"
    }
  }

  /// Run of the fit.
  public var runID: Int64
  /// Points of the fit; also the id of the root.
  public var pointCount: Int
  /// Node of each label, in order.
  public var selectedNodes: [Int]
  /// Cluster of each label; nil where none has it.
  public var clusterIDs: [Int64?]
  /// Every row, by parent, then lambda.
  public var rows: [Row]

  init(
    runID: Int64, model: StoredModel, clusterOfLabel: [Int: Int64], names: [Int64: String]
  ) {
    self.runID = runID
    let tree = model.tree
    pointCount = tree.pointCount
    selectedNodes = model.selection.nodes
    clusterIDs = model.selection.nodes.indices.map { clusterOfLabel[$0] }
    rows = (0..<tree.rowCount).map { row in
      let child = tree.children[row]
      let id = child < tree.pointCount ? model.detectionIDs[child] : nil
      return Row(
        parent: tree.parents[row], child: child, lambda: tree.lambdas[row], size: tree.sizes[row],
        detectionID: id, externalID: id.flatMap { names[$0] })
    }
  }
}
