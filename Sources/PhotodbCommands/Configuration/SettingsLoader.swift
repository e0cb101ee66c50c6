internal import Configuration
internal import FaceClustering
internal import Foundation
internal import Vectors

/// Puts the settings together: flag over environment over file over default.
struct SettingsLoader: Sendable {
  /// Variables of the process; empty ones count as unset.
  var environment = ProcessInfo.processInfo.environment
  /// Folder in which `photodb.yaml` is looked for.
  var directory = FileManager.default.currentDirectoryPath

  /// Reads every source and checks every value.
  ///
  /// - Parameters:
  ///   - options: `--config` and `--set`.
  ///   - databaseURL: the value of `--database`.
  /// - Throws: ``CommandFailure`` that names the key and its range where a value lies outside, a
  ///   key of the file or of `--set` is unknown, or the file cannot be read.
  func load(_ options: SettingsOptions, databaseURL: String? = nil) async throws
    -> ResolvedSettings
  {
    let flags = try Self.flags(options.set)
    let file = try await settingsFile(options.config)
    if let file { try Self.refuseUnknownKeys(of: file) }

    let lookup = SettingLookup(
      flags: flags, environment: environment.filter { !$0.value.isEmpty }, file: file)
    var stage = StageSettings()
    var entries: [ResolvedSettings.Entry] = []
    for setting in StageSetting.all {
      let found = try lookup.value(of: setting.name)
      if let found, !setting.write(&stage, found.text) {
        throw CommandFailure(
          "\(found.source.place(of: setting.name)) is \"\(found.text)\", "
            + "but must be in the range \(setting.range) (\(setting.summary))", code: 2)
      }
      entries.append(
        ResolvedSettings.Entry(
          name: setting.name, value: setting.read(stage), source: found?.source ?? .standard,
          range: setting.range, summary: setting.summary))
    }
    try Self.checkTogether(stage)

    var url = try lookup.value(of: DatabaseSetting.name)
    if let databaseURL { url = FoundSetting(text: databaseURL, source: .flag("--database")) }
    entries.append(
      ResolvedSettings.Entry(
        name: DatabaseSetting.name,
        value: url.map { maskedDatabaseURL($0.text) } ?? "private server",
        source: url?.source ?? .standard, range: "postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        summary: "PostgreSQL to use"))
    return ResolvedSettings(stage: stage, databaseURL: url?.text, entries: entries)
  }

  /// The file that was asked for, or the one that happens to be here, or none.
  private func settingsFile(_ option: String?) async throws -> SettingsFile? {
    if let option { return try await SettingsFile(path: option) }
    if let path = environment["PHOTODB_CONFIG"], !path.isEmpty {
      return try await SettingsFile(path: path)
    }
    let path = directory + "/photodb.yaml"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try await SettingsFile(path: path)
  }
}

extension SettingsLoader {
  /// Splits `--set NAME=VALUE`; the last of several wins.
  private static func flags(_ assignments: [String]) throws -> [String: String] {
    var flags: [String: String] = [:]
    for assignment in assignments {
      guard let equals = assignment.firstIndex(of: "=") else {
        throw CommandFailure("--set \(assignment) has no value: write --set NAME=VALUE", code: 2)
      }
      let name = assignment[..<equals].uppercased()
      guard StageSetting.all.contains(where: { $0.name == name }) else {
        throw CommandFailure("--set names no setting: \(name); \(hint(for: name))", code: 2)
      }
      flags[name] = String(assignment[assignment.index(after: equals)...])
    }
    return flags
  }

  private static func refuseUnknownKeys(of file: SettingsFile) throws {
    let known = Set(StageSetting.all.map { $0.name.lowercased() } + [DatabaseSetting.fileKey])
    guard let key = file.keys.subtracting(known).min() else { return }
    throw CommandFailure(
      "\(file.path): unknown key \(key); \(hint(for: key.uppercased()))", code: 2)
  }

  /// What to write instead of an unknown name.
  private static func hint(for name: String) -> String {
    let names = StageSetting.all.map(\.name) + [DatabaseSetting.name]
    if names.contains(name) { return "in a file it is written \(name.lowercased())" }
    let close = names.first { $0.hasSuffix(name) || name.hasSuffix($0) || $0.contains(name) }
    return (close.map { "did you mean \($0)? " } ?? "") + "`photodb config` lists them all"
  }

  /// Limits that hold between two settings.
  private static func checkTogether(_ stage: StageSettings) throws {
    guard stage.minEpsilon <= stage.maxEpsilon else {
      throw CommandFailure(
        "MIN_EPSILON is \(stage.minEpsilon.value), but must not exceed "
          + "1.5 × CLUSTERING_THRESHOLD = \(stage.maxEpsilon.value)", code: 2)
    }
  }
}
