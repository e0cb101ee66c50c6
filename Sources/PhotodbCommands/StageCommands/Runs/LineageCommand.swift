internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb lineage`.
struct LineageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lineage", abstract: "Follows one cluster through all runs.",
    discussion: """
      Kinds: born, continued, kept (the fit did not find it, people made promises about it), split, \
      merged, died. Example: photodb lineage 40
      """)

  @Argument(help: "Id of the cluster.")
  var cluster: Int64

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let steps = try await DatabaseSession.with(options) {
      try await $0.stage().lineage(ofCluster: cluster)
    }
    let lineage = Lineage(clusterId: cluster, steps: steps.map(Step.init))
    try options.output.output.report(lineage) {
      var table = TextTable([
        ("run", .right), ("finished", .left), ("kind", .left), ("from", .right), ("to", .right),
        ("shared", .right), ("similarity", .right),
      ])
      for step in steps {
        table.append([
          "\(step.toRunID)", step.finishedAt.map(timeText) ?? "", step.record.kind,
          step.record.oldClusterID.map { "\($0)" } ?? "",
          step.record.newClusterID.map { "\($0)" } ?? "",
          "\(step.record.sharedMembers)",
          step.record.similarity.map { Formatting.decimal(Double($0), places: 3) } ?? "",
        ])
      }
      return steps.isEmpty ? "no run has seen cluster \(cluster) yet" : table.text
    }
  }

  private struct Lineage: Encodable {
    let clusterId: Int64
    let steps: [Step]
  }

  private struct Step: Encodable {
    @OrNull var fromRunId: Int64?
    let toRunId: Int64
    @OrNull var finishedAt: String?
    let kind: String
    @OrNull var oldClusterId: Int64?
    @OrNull var newClusterId: Int64?
    @OrNull var similarity: Float?
    let sharedMembers: Int

    init(_ step: LineageStep) {
      fromRunId = step.fromRunID
      toRunId = step.toRunID
      finishedAt = step.finishedAt.map(timeText)
      kind = step.record.kind
      oldClusterId = step.record.oldClusterID
      newClusterId = step.record.newClusterID
      similarity = step.record.similarity
      sharedMembers = step.record.sharedMembers
    }
  }
}
