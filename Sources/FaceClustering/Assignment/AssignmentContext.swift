internal import HDBSCAN
internal import Store
internal import Vectors

/// A cluster near a face.
struct NearCluster: Sendable, Equatable {
  /// Row of the cluster.
  var cluster: Int
  var distance: CosineDistance
}

/// What tier 1 says about a face: a label that maps to a live cluster, and how strongly.
struct TierOneVote: Sendable, Equatable {
  var cluster: Int
  var probability: Double
  var distance: CosineDistance
}

/// Everything that the decision about a batch of faces depends on; values, no database.
struct AssignmentContext: Sendable {
  var settings: StageSettings
  /// Gates by evidence; nil where the run in charge has no calibration or the operator set a gate.
  var evidence: EvidenceGates?
  var clusters: LiveClusters
  /// Of the references of these clusters, where it was kept from earlier batches.
  var screen: RadiusScreen?
  var prohibitions: Prohibitions
  /// To which person the other half of a cannot-link belongs.
  var personOfLinked: [Int64: Int64]
  /// Faces of a photo that a person has already: photo → person id → detection ids.
  var occupants: [Int64: [Int64: Set<Int64>]]
}

/// What was decided about one face.
enum AssignmentOutcome: Sendable, Equatable {
  /// `asked` are questions about other persons that a gate raised on the way.
  case assigned(cluster: Int, tier: String, confidence: Double, asked: [CandidateQuestion] = [])
  case pending([CandidateQuestion])
  case pool(constrained: Bool)
}
