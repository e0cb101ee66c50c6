internal import HDBSCAN

/// One cluster node of a condensed tree, as `hdbscan_run.condensed_tree` holds it.
public struct CondensedTreeNode: Sendable, Codable, Equatable {
  /// Id of the node: the number of points for the root, then upwards.
  public var node: Int
  /// Absent for the root.
  public var parent: Int?
  /// Lambda (1/Euclidean distance) at which the node appears; 0 for the root.
  public var lambdaBirth: Double
  /// Largest lambda at which something leaves it.
  public var lambdaDeath: Double
  /// Points below the node.
  public var size: Int
  /// Excess of mass; infinite where points coincide.
  public var stability: Double
  /// Label of the cluster that was selected here.
  public var label: Int?

  enum CodingKeys: String, CodingKey {
    case node, parent, size, stability, label
    case lambdaBirth = "lambda_birth"
    case lambdaDeath = "lambda_death"
  }
}

extension CondensedTree {
  /// One row for every cluster node, the root first.
  func summary(_ selection: Selection) -> [CondensedTreeNode] {
    let (births, parents) = (clusterBirths, clusterParents)
    let (deaths, sizes, stabilities) = (clusterDeaths, clusterSizes, clusterStabilities())
    let labels = Dictionary(uniqueKeysWithValues: selection.nodes.enumerated().map { ($1, $0) })
    return (0..<clusterCount).map { index in
      CondensedTreeNode(
        node: pointCount + index, parent: index == 0 ? nil : parents[index],
        lambdaBirth: births[index], lambdaDeath: deaths[index], size: sizes[index],
        stability: stabilities[index], label: labels[pointCount + index])
    }
  }
}
