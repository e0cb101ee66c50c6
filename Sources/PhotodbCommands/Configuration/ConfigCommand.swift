internal import ArgumentParser
internal import Logging

/// `photodb config`: the settings in force and where each came from.
struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Shows every setting in force and where it came from.",
    discussion: """
      A flag (--set NAME=VALUE) wins over an environment variable, that over the settings file, \
      that over the default. In the file, names are written in lower case: min_epsilon: 0.2

      Radii such as CLUSTERING_THRESHOLD are cosine distances; GATE_ABSOLUTE is a cosine similarity, \
      1 − distance, that every assignment of a tier must reach whatever the radius. Settings that \
      others make moot are warned of.

      Example: photodb config --set GATE_ABSOLUTE=0.5
      """)

  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(name: .long, help: ArgumentHelp("PostgreSQL to use.", valueName: "URL"))
  var database: String?

  func run() async throws {
    let resolved = try await SettingsLoader().load(settings, databaseURL: database)
    for warning in resolved.warnings { output.logger.warning("\(warning)") }
    try output.output.report(Report(resolved)) {
      var table = TextTable([
        ("SETTING", .left), ("VALUE", .left), ("FROM", .left), ("RANGE", .left),
        ("MEANING", .left),
      ])
      for entry in resolved.entries {
        table.append([
          entry.name, entry.value, entry.source.description, entry.range, entry.summary,
        ])
      }
      return table.text
    }
  }
}

extension ConfigCommand {
  private struct Report: Encodable {
    struct Setting: Encodable {
      let name: String
      let value: String
      let source: String
      let range: String
      let summary: String
    }

    let settings: [Setting]
    let warnings: [String]

    init(_ resolved: ResolvedSettings) {
      settings = resolved.entries.map {
        Setting(
          name: $0.name, value: $0.value, source: $0.source.description, range: $0.range,
          summary: $0.summary)
      }
      warnings = resolved.warnings
    }
  }
}
