internal import ArgumentParser
internal import FaceClustering

/// `photodb runs export-tree`.
struct RunsExportTreeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export-tree", abstract: "Prints the full condensed tree of a run.",
    discussion: """
      One row for each point and each cluster but the root: at lambda (1/Euclidean distance) the child \
      leaves the parent. Children below the number of points are faces. Infinite lambdas are \
      written as Infinity. Example: photodb runs export-tree 3 --format csv > tree.csv
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, csv
  }

  @Argument(help: "Id of the run.")
  var id: Int64

  @Option(help: "json or csv.")
  var format = Format.json

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if options.output.json && format == .csv {
      throw ValidationError("--json and --format csv exclude each other.")
    }
  }

  func run() async throws {
    let tree = try await DatabaseSession.with(options) { try await $0.stage().tree(ofRun: id) }
    if format == .json {
      return try CommandOutput(json: true).report(Tree(tree)) { "" }
    }
    var text = "parent,child,lambda,size,detection_id,external_id\n"
    for row in tree.rows {
      let lambda = row.lambda.isFinite ? "\(row.lambda)" : "Infinity"
      text += "\(row.parent),\(row.child),\(lambda),\(row.size),"
      text += "\(row.detectionID.map { "\($0)" } ?? ""),\(quoted(row.externalID ?? ""))\n"
    }
    do { try options.output.output.print(text) } catch is OutputClosed { return }
  }

  private func quoted(_ text: String) -> String {
    text.contains { ",\"\n\r".contains($0) }
      ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }

  private struct Tree: Encodable {
    let runId: Int64
    let pointCount: Int
    let selectedNodes: [Int]
    let clusterIds: [Int64?]
    let rows: [RunTree.Row]

    init(_ tree: RunTree) {
      runId = tree.runID
      pointCount = tree.pointCount
      selectedNodes = tree.selectedNodes
      clusterIds = tree.clusterIDs
      rows = tree.rows
    }
  }
}
