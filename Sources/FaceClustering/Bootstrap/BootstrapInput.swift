internal import HDBSCAN
internal import Store
internal import Vectors

/// Everything that decides what a bootstrap does to a collection; values, no database.
struct BootstrapInput {
  var settings: StageSettings
  /// What the fit saw.
  var snapshot: FaceSnapshot
  /// What was too small or too uncertain for it, and was grouped with it.
  var leftOut: FaceSnapshot
  var clustering: Clustering
  /// The clusters to go on with.
  var found: FoundClusters
  /// Every face of the collection as it stands now.
  var states: [DetectionState]
  /// Assigned faces that neither the fit nor the grouping placed.
  var outside: FaceSnapshot
  var live: LiveClusters
  var prohibitions: Prohibitions
  /// Persons that have a name or that people drew or hid: no cluster of theirs goes to another person.
  var promisedPersons: Set<Int64> = []
  /// Pairs of persons that people said are not one.
  var keptApart: [(Int64, Int64)] = []
  /// Faces that take no part because their embedding cannot be used, and why.
  var unusable: [Int64: String] = [:]
  /// Whether the fit is that of an earlier run, which knows nothing of clusters of faces that came since.
  var isOldFit = false
  /// What an earlier plan of the same fit worked out.
  var memory = FactsMemory()
}

/// A cluster as it will be.
struct PlannedCluster {
  /// The cluster that lives on, or nil for a new one.
  var existingID: Int64?
  /// Whose a new cluster is from birth: that of the named cluster from which it split.
  var inheritedPersonID: Int64?
  var label: Int?
  /// A new cluster, counted in the plan, whose new person this new cluster shares.
  var sharesPersonOf: Int?
  /// The person under which a program puts an existing cluster.
  var movesToPersonID: Int64?
  /// Evidence beyond the threshold for its person, where a program joined clusters.
  var surplus: Double?
  /// Its members, ascending.
  var faces: [Int64] = []
  var facts: ClusterFacts
}

/// Where one face goes; `cluster` counts the planned clusters.
struct PlannedPlacement {
  var placement: Placement
  var cluster: Int?
}

/// A question about a planned cluster.
struct PlannedQuestion {
  var detectionID: Int64
  var cluster: Int
  var similarity: Float
  var reason = "bootstrap_conflict"
}

/// How often each kind of lineage occurred.
public struct LineageCounts: Sendable, Equatable, Codable {
  /// Old clusters that live on under their id.
  public var continued = 0
  /// New clusters that came out of an old one that survives.
  public var split = 0
  /// Old clusters whose faces went into another one.
  public var merged = 0
  /// New clusters with no ancestor.
  public var born = 0
  /// Old clusters of which nothing is left.
  public var died = 0
  /// Clusters that were not found again and stay: named, verified or hand-made ones, and beside a fit that was not
  /// made again those of later faces alone.
  public var kept = 0
}

/// A lineage row whose new cluster may not have an id yet.
struct PlannedLineage {
  var record: LineageRecord
  var newCluster: Int?
}

/// What a bootstrap will write.
struct BootstrapPlan {
  var clusters: [PlannedCluster] = []
  var placements: [PlannedPlacement] = []
  var questions: [PlannedQuestion] = []
  /// Those of the questions that are new, or had expired.
  var raised = 0
  var lineage: [PlannedLineage] = []
  /// Clusters that died and, by their count, the clusters that most of their faces are in.
  var heirs: [(oldClusterID: Int64, cluster: Int)] = []
  var retired: [Int64] = []
  /// Clusters that keep their row with no member left, because people made promises about them.
  var emptied: [Int64] = []
  /// Faces that the fit did not see and that get another chance: their cluster is gone, or they
  /// wait and the clusters are others now.
  var reset: [Int64] = []
  /// How many of them waited.
  var reconsidered = 0
  /// Faces whose embedding cannot be used, and why.
  var invalid: [Int64: String] = [:]
  var counts = LineageCounts()
  /// Faces that had a cluster and have another one, or none.
  var moved = 0
  var noise = 0
  /// Faces that were left out of the fit and are in a cluster by evidence.
  var leftOutPlaced = 0
}
