internal import ArgumentParser
internal import FaceClustering

/// `photodb runs diff`.
struct RunsDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compares two runs: figures, settings, and the faces of clusters.",
    discussion: """
      Each run is taken as it was when it was last in charge. Example: photodb runs diff 3 4
      """)

  @Argument(help: "Id of the first run.")
  var first: Int64

  @Argument(help: "Id of the second run.")
  var second: Int64

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let difference = try await DatabaseSession.with(options) {
      try await $0.stage().difference(from: first, to: second)
    }
    try options.output.output.report(difference) { Self.text(difference) }
  }

  private static func text(_ difference: RunDifference) -> String {
    var lines = difference.figures.map { "\($0.name) \($0.before) → \($0.after)" }
    lines += difference.settings.map { "\($0.name) \($0.before ?? "–") → \($0.after ?? "–")" }
    lines.append(
      "\(Formatting.count(difference.sameClusters)) clusters are the same, "
        + "\(Formatting.count(difference.clusters.count)) differ, "
        + "\(Formatting.count(difference.stayed)) faces stayed")
    var table = TextTable([
      ("cluster", .right), ("before", .right), ("after", .right), ("stayed", .right),
    ])
    for cluster in difference.clusters {
      table.append([
        "\(cluster.clusterID)", "\(cluster.before)", "\(cluster.after)", "\(cluster.stayed)",
      ])
    }
    if !difference.clusters.isEmpty { lines.append(table.text) }
    return lines.joined(separator: "\n")
  }
}
