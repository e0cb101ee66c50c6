internal import HDBSCAN
internal import Vectors

/// One setting: its name, what it means, and how text becomes its value.
///
/// The name is the environment variable; in a file it is written in lower case.
public struct StageSetting: Sendable {
  /// Name in the environment, such as `HDBSCAN_MIN_CLUSTER_SIZE`.
  public let name: String
  /// One line for people.
  public let summary: String
  /// The values that are allowed, as text.
  public let range: String
  /// The value in force, as text.
  public let read: @Sendable (StageSettings) -> String
  /// Sets the value from text; false where the text is no value of the range.
  public let write: @Sendable (inout StageSettings, String) -> Bool

  /// Every setting, in the order in which they are shown.
  public static let all: [StageSetting] = [
    integer("HDBSCAN_MIN_CLUSTER_SIZE", "smallest cluster, in faces", 2...100_000) {
      \.minClusterSize
    },
    integer("HDBSCAN_MIN_SAMPLES", "neighbours that make a face dense", 1...100_000) {
      \.minSamples
    },
    choice(
      "HDBSCAN_CLUSTER_SELECTION_METHOD", "how clusters are taken from the hierarchy",
      Parameters.SelectionMethod.allCases.map(\.rawValue),
      read: \.selectionMethod.rawValue,
      write: { settings, text in
        Parameters.SelectionMethod(rawValue: text).map { settings.selectionMethod = $0 } != nil
      }),
    choice(
      "CLUSTER_EXTRACTION", "people by pair evidence, or the labels of density",
      StageSettings.ClusterExtraction.allCases.map(\.rawValue),
      read: \.clusterExtraction.rawValue,
      write: { settings, text in
        StageSettings.ClusterExtraction(rawValue: text).map { settings.clusterExtraction = $0 }
          != nil
      }),
    choice(
      "HDBSCAN_ALLOW_SINGLE_CLUSTER", "whether all faces may be one person",
      ["auto", "true", "false"],
      read: { $0.allowSingleCluster.map(String.init) ?? "auto" },
      write: { settings, text in
        settings.allowSingleCluster = Bool(text)
        return true
      }),
    cosine("CLUSTERING_THRESHOLD", "radius of a cluster without epsilon", 0.01...1) {
      \.clusteringThreshold
    },
    cosine("MIN_EPSILON", "smallest epsilon of a cluster", 0...1) { \.minEpsilon },
    number("CORE_PROBABILITY_THRESHOLD", "probability that makes a face core", 0...1) {
      \.coreProbabilityThreshold
    },
    number("VERIFIED_THRESHOLD_MULTIPLIER", "share of epsilon in verified clusters", 0...1) {
      \.verifiedThresholdMultiplier
    },
    number("POOL_THRESHOLD_FACTOR", "share of the threshold between pool faces", 0...2) {
      \.poolThresholdFactor
    },
    integer("UNASSIGNED_CLUSTER_THRESHOLD", "pool faces that form a cluster", 2...10_000) {
      \.unassignedClusterThreshold
    },
    number("MEDOID_RECOMPUTE_THRESHOLD", "share of changed members that makes a medoid old", 0...10)
    {
      \.medoidRecomputeThreshold
    },
    cosine("PERSON_ASSOCIATION_THRESHOLD", "clusters of one person, between centroids", 0.01...1) {
      \.personAssociationThreshold
    },
    number("HDBSCAN_STALENESS_THRESHOLD", "growth that makes a model stale", 1...1_000) {
      \.stalenessThreshold
    },
    number("MIN_FACE_SIZE_PX", "shorter side of an eligible face, in pixels", 0...100_000) {
      \.minFaceSizePixels
    },
    number("MIN_FACE_CONFIDENCE", "detector confidence of an eligible face", 0...1) {
      \.minFaceConfidence
    },
    choice(
      "SAME_PHOTO_EXCLUSION", "one face of a person in a photo", ["true", "false"],
      read: { String($0.samePhotoExclusion) },
      write: { settings, text in Bool(text).map { settings.samePhotoExclusion = $0 } != nil }),
    number("GATE_TEMPERATURE", "softmax temperature of the two gates", 0.000_1...10) {
      \.gateTemperature
    },
    number("GATE_RELATIVE", "share of the softmax for the best cluster", 0...1) { \.gateRelative },
    StageSetting(
      name: "GATE_ABSOLUTE", summary: "cosine similarity that every assignment must reach",
      range: "auto, -1.0…1.0", read: { $0.gateAbsolute.map { String($0) } ?? "auto" },
      write: { settings, text in
        guard text != "auto" else {
          settings.gateAbsolute = nil
          return true
        }
        guard let value = Double(text), (-1...1).contains(value) else { return false }
        settings.gateAbsolute = value
        return true
      }),
    number("STALENESS_DELETED_SHARE", "share of fitted faces deleted", 0...1) {
      \.stalenessDeletedShare
    },
    number("STALENESS_POOL_SHARE", "share of arrivals left in the pool", 0...1) {
      \.stalenessPoolShare
    },
    number("STALENESS_NOISE_RATE", "share of arrivals that tier 1 could not place", 0...1) {
      \.stalenessNoiseRate
    },
    number("STALENESS_DRIFT", "relative growth of distances to centroids", 0...100) {
      \.stalenessDrift
    },
    number("STALENESS_AGE_DAYS", "age of the active run, in days", 0...100_000) {
      \.stalenessAgeDays
    },
    number("CONTINUATION_THRESHOLD", "lineage score of a continued cluster", 0...1) {
      \.continuationThreshold
    },
    number("SECONDARY_THRESHOLD", "lineage score of a part", 0...1) { \.secondaryThreshold },
  ]
}

extension StageSetting {
  private static func integer(
    _ name: String, _ summary: String, _ range: ClosedRange<Int>,
    path: @Sendable () -> any WritableKeyPath<StageSettings, Int> & Sendable
  ) -> StageSetting {
    let path = path()
    return StageSetting(
      name: name, summary: summary, range: "\(range.lowerBound)…\(range.upperBound)",
      read: { String($0[keyPath: path]) },
      write: { settings, text in
        guard let value = Int(text), range.contains(value) else { return false }
        settings[keyPath: path] = value
        return true
      })
  }

  private static func number(
    _ name: String, _ summary: String, _ range: ClosedRange<Double>,
    path: @Sendable () -> any WritableKeyPath<StageSettings, Double> & Sendable
  ) -> StageSetting {
    let path = path()
    return StageSetting(
      name: name, summary: summary, range: "\(range.lowerBound)…\(range.upperBound)",
      read: { String($0[keyPath: path]) },
      write: { settings, text in
        guard let value = Double(text), range.contains(value) else { return false }
        settings[keyPath: path] = value
        return true
      })
  }

  private static func cosine(
    _ name: String, _ summary: String, _ range: ClosedRange<Double>,
    path: @Sendable () -> any WritableKeyPath<StageSettings, CosineDistance> & Sendable
  ) -> StageSetting {
    let path = path()
    return StageSetting(
      name: name, summary: summary + " (cosine distance)",
      range: "\(range.lowerBound)…\(range.upperBound)",
      read: { String($0[keyPath: path].value) },
      write: { settings, text in
        guard let value = Double(text), range.contains(value) else { return false }
        settings[keyPath: path] = CosineDistance(value)
        return true
      })
  }

  private static func choice(
    _ name: String, _ summary: String, _ values: [String],
    read: @escaping @Sendable (StageSettings) -> String,
    write: @escaping @Sendable (inout StageSettings, String) -> Bool
  ) -> StageSetting {
    StageSetting(
      name: name, summary: summary, range: values.joined(separator: ", "), read: read,
      write: { settings, text in values.contains(text) && write(&settings, text) })
  }
}
