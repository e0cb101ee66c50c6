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
}
