/// The one setting that is no number of the stage: which database.
enum DatabaseSetting {
  /// Name in the environment.
  static let name = "DATABASE_URL"
  /// Name in a settings file.
  static let fileKey = "database_url"
}
