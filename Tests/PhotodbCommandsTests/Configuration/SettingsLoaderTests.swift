import FaceClustering
import Foundation
import Testing
import Vectors

@testable import PhotodbCommands

struct SettingsLoaderTests {
  private func load(
    yaml: String? = nil, environment: [String: String] = [:], set: [String] = [],
    databaseURL: String? = nil
  ) async throws -> ResolvedSettings {
    try await withTemporaryFolder { folder in
      if let yaml {
        try Data(yaml.utf8).write(to: URL(filePath: folder + "/photodb.yaml"))
      }
      var options = SettingsOptions()
      options.config = nil
      options.set = set
      let loader = SettingsLoader(environment: environment, directory: folder)
      return try await loader.load(options, databaseURL: databaseURL)
    }
  }

  private func entry(_ name: String, of settings: ResolvedSettings) throws -> (String, String) {
    let entry = try #require(settings.entries.first { $0.name == name })
    let source = entry.source.description
    return (entry.value, source.hasPrefix("file ") ? "file" : source)
  }

  @Test func withoutSourcesEverythingIsTheDefault() async throws {
    let settings = try await load()
    #expect(settings.stage == StageSettings())
    #expect(settings.databaseURL == nil)
    #expect(settings.entries.allSatisfy { $0.source == .standard })
    #expect(settings.entries.map(\.name) == StageSetting.all.map(\.name) + ["DATABASE_URL"])
  }

  @Test func flagWinsOverEnvironmentOverFileOverDefault() async throws {
    let yaml = "min_epsilon: 0.2\nhdbscan_min_samples: 4\npool_threshold_factor: 0.5\n"
    let environment = ["HDBSCAN_MIN_SAMPLES": "5", "POOL_THRESHOLD_FACTOR": "0.6"]
    let settings = try await load(
      yaml: yaml, environment: environment, set: ["POOL_THRESHOLD_FACTOR=0.9"])
    #expect(settings.stage.minEpsilon == CosineDistance(0.2))
    #expect(settings.stage.minSamples == 5)
    #expect(settings.stage.poolThresholdFactor == 0.9)
    #expect(settings.stage.minClusterSize == 3)
    #expect(try entry("MIN_EPSILON", of: settings) == ("0.2", "file"))
    #expect(try entry("HDBSCAN_MIN_SAMPLES", of: settings) == ("5", "environment"))
    #expect(try entry("POOL_THRESHOLD_FACTOR", of: settings) == ("0.9", "--set"))
    #expect(try entry("HDBSCAN_MIN_CLUSTER_SIZE", of: settings) == ("3", "default"))
  }

  @Test func theDatabaseFollowsTheSameOrderAndHidesItsPassword() async throws {
    let yaml = "database_url: postgresql://file:secret@a/x\n"
    let environment = ["DATABASE_URL": "postgresql://env:secret@b/x"]
    let fromFile = try await load(yaml: yaml)
    #expect(fromFile.databaseURL == "postgresql://file:secret@a/x")
    let fromEnvironment = try await load(yaml: yaml, environment: environment)
    #expect(fromEnvironment.databaseURL == "postgresql://env:secret@b/x")
    let fromFlag = try await load(
      yaml: yaml, environment: environment, databaseURL: "postgresql://flag:secret@c/x")
    #expect(fromFlag.databaseURL == "postgresql://flag:secret@c/x")
    #expect(
      try entry("DATABASE_URL", of: fromFlag) == ("postgresql://flag:***@c/x", "--database"))
  }

  @Test func emptyVariablesCountAsUnset() async throws {
    let settings = try await load(environment: ["MIN_EPSILON": "", "DATABASE_URL": ""])
    #expect(settings.stage == StageSettings())
    #expect(settings.databaseURL == nil)
  }

  @Test func aFileOfCommentsHoldsNoSettings() async throws {
    #expect(try await load(yaml: "# min_epsilon: 0.2\n\n").stage == StageSettings())
  }

  @Test(arguments: [
    ("HDBSCAN_MIN_CLUSTER_SIZE", "1", "2…100000"), ("MIN_FACE_CONFIDENCE", "1.01", "0.0…1.0"),
    ("CLUSTERING_THRESHOLD", "nan", "0.01…1.0"), ("MIN_EPSILON", "near", "0.0…1.0"),
    ("HDBSCAN_CLUSTER_SELECTION_METHOD", "EOM", "eom, leaf"),
  ])
  func valuesOutOfRangeNameKeyRangeAndPlace(name: String, value: String, range: String)
    async throws
  {
    let fromEnvironment = await failure { try await load(environment: [name: value]) }
    #expect(
      fromEnvironment.hasPrefix(
        "environment variable \(name) is \"\(value)\", but must be in the range \(range)"))
    let fromFile = await failure { try await load(yaml: "\(name.lowercased()): \(value)") }
    #expect(fromFile.contains("photodb.yaml: \(name.lowercased()) is \"\(value)\""))
    let fromFlag = await failure { try await load(set: ["\(name)=\(value)"]) }
    #expect(fromFlag.hasPrefix("--set \(name) is \"\(value)\""))
  }

  @Test func settingsThatContradictEachOtherAreRefused() async {
    let text = await failure { try await load(set: ["MIN_EPSILON=0.9"]) }
    #expect(text.contains("MIN_EPSILON is 0.9, but must not exceed 1.5 × CLUSTERING_THRESHOLD"))
  }

  @Test(arguments: [
    ("min_samples: 2", "unknown key min_samples; did you mean HDBSCAN_MIN_SAMPLES?"),
    ("MIN_EPSILON: 0.2", "unknown key MIN_EPSILON; in a file it is written min_epsilon"),
    ("stage:\n  min_epsilon: 0.2", "unknown key stage.min_epsilon"),
    ("min_epsilon: [0.1, 0.2]", "min_epsilon must be one value"),
    ("just text", "is no YAML mapping"),
    ("min_epsilon: 0.1\nmin_epsilon: 0.2", "duplicated key(s): 'min_epsilon'"),
  ])
  func badFilesAreRefused(yaml: String, complaint: String) async {
    let text = await failure { try await load(yaml: yaml) }
    #expect(text.contains("photodb.yaml"))
    #expect(text.contains(complaint))
    #expect(!text.contains("\n"))
  }

  @Test(arguments: [
    "min_epsilon: [0.1", "just text", "min_epsilon: [0.1, 0.2]", "min_epsilon: 7", "min_samples: 2",
  ])
  func aWrongFileIsWrongUsage(yaml: String) async {
    let error = await #expect(throws: CommandFailure.self) { try await load(yaml: yaml) }
    #expect(error?.code == 2)
  }

  @Test(arguments: [
    "database_url: postgres://a:secret@b/c\ndatabase_url: x",
    "database_url: [postgres://a:secret@b/c",
    "database_url: \"postgres://a:secret@b/c",
  ])
  func brokenFilesDoNotLeakThePassword(yaml: String) async {
    let text = await failure { try await load(yaml: yaml) }
    #expect(text.contains("is no YAML mapping"))
    #expect(!text.contains("secret"))
  }

  @Test(arguments: [
    ("MIN_EPSILON", "has no value"), ("NO_SUCH=1", "--set names no setting: NO_SUCH"),
  ])
  func badAssignmentsAreRefused(assignment: String, complaint: String) async {
    #expect(await failure { try await load(set: [assignment]) }.contains(complaint))
  }

  @Test func aFileThatWasAskedForMustExist() async {
    let text = await failure { try await load(environment: ["PHOTODB_CONFIG": "/no/such.yaml"]) }
    #expect(
      text == "the settings file /no/such.yaml cannot be read: give the path of an existing "
        + "YAML file")
  }

  @Test func aRadiusThatTheGateMakesMootIsWarnedOf() async throws {
    #expect(try await load().warnings.isEmpty)
    let wide = try await load(set: ["CLUSTERING_THRESHOLD=0.5", "GATE_ABSOLUTE=0.6"])
    #expect(wide.warnings.count == 1)
    #expect(
      wide.warnings[0].hasPrefix(
        "CLUSTERING_THRESHOLD 0.5 is moot beyond 1 − GATE_ABSOLUTE = 0.400"))
    #expect(try await load(set: ["CLUSTERING_THRESHOLD=0.5", "GATE_ABSOLUTE=0.5"]).warnings == [])
  }
}
