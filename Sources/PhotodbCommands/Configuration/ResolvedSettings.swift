internal import FaceClustering

/// The settings in force, and where each came from.
struct ResolvedSettings: Sendable {
  /// One setting as `photodb config` shows it.
  struct Entry: Sendable, Equatable {
    /// Name in the environment.
    let name: String
    /// Value in force, as text; passwords are masked.
    let value: String
    /// Where the value came from.
    let source: SettingSource
    /// The values that are allowed.
    let range: String
    /// What it means.
    let summary: String
  }

  /// Settings of the stage.
  let stage: StageSettings
  /// The URL that was asked for; nil means the private server.
  let databaseURL: String?
  /// Every setting, in the order in which it is shown.
  let entries: [Entry]

  /// Settings that are allowed and yet do nothing beside others, one line each.
  ///
  /// A tier assigns no face whose cosine similarity is below `GATE_ABSOLUTE`, so a radius beyond
  /// the cosine distance 1 − `GATE_ABSOLUTE` is moot.
  var warnings: [String] {
    func number(_ name: String) -> Double? {
      entries.first { $0.name == name }.flatMap { Double($0.value) }
    }
    guard let similarity = number("GATE_ABSOLUTE") else { return [] }
    let farthest = 1 - similarity
    return ["CLUSTERING_THRESHOLD", "MIN_EPSILON"].compactMap { name in
      // The defaults meet exactly; the difference of two decimals is not exact.
      guard let radius = number(name), radius > farthest + 1e-9 else { return nil }
      return "\(name) \(radius) is moot beyond 1 − GATE_ABSOLUTE = "
        + "\(Formatting.decimal(farthest, places: 3)): no tier assigns a face that far away; lower "
        + "GATE_ABSOLUTE, or \(name)"
    }
  }
}
