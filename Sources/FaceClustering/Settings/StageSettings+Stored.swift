internal import Store

extension StageSettings {
  /// Which faces take part in a bootstrap.
  var eligibility: Eligibility {
    Eligibility(minFaceSizePixels: minFaceSizePixels, minFaceConfidence: minFaceConfidence)
  }

  /// Every setting as text by name, as a run stores them.
  func runParametersJSON() throws -> String {
    try JSONText.encode(
      Dictionary(uniqueKeysWithValues: StageSetting.all.map { ($0.name, $0.read(self)) }))
  }

  /// The settings of a run as it stored them; what it does not name is at its default.
  init(runParametersJSON text: String) throws {
    self.init()
    let stored = try JSONText.decode([String: String].self, from: text)
    for setting in StageSetting.all {
      if let value = stored[setting.name] { _ = setting.write(&self, value) }
    }
  }

  /// The settings that decide what a fit yields; a change of them makes a model stale.
  static let fitSettingNames: Set<String> = [
    "HDBSCAN_MIN_CLUSTER_SIZE", "HDBSCAN_MIN_SAMPLES", "HDBSCAN_CLUSTER_SELECTION_METHOD",
    "CLUSTER_EXTRACTION",
    "HDBSCAN_ALLOW_SINGLE_CLUSTER", "CLUSTERING_THRESHOLD", "MIN_EPSILON",
    "CORE_PROBABILITY_THRESHOLD", "MIN_FACE_SIZE_PX", "MIN_FACE_CONFIDENCE",
  ]
}
