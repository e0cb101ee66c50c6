internal import ArgumentParser
internal import FaceClustering

/// `photodb cluster tree`.
struct ClusterTreeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tree", abstract: "Shows what the hierarchy has below a cluster.",
    discussion: """
      The part of the condensed tree at and below the cluster, of the run that shaped it.

      Example: photodb cluster tree 40
      """)

  @Argument(help: "Id of the cluster.")
  var cluster: Int64

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let nodes = try await DatabaseSession.with(options) {
      try await $0.stage().tree(ofCluster: cluster)
    }
    try options.output.output.report(Tree(clusterId: cluster, nodes: nodes)) {
      if nodes.isEmpty { return "no run has found cluster \(cluster), so no hierarchy holds it" }
      var depth: [Int: Int] = [:]
      var below: [Int?: [CondensedTreeNode]] = [:]
      let ids = Set(nodes.map(\.node))
      for node in nodes {
        let parent = node.parent.flatMap { ids.contains($0) ? $0 : nil }
        depth[node.node] = parent.flatMap { depth[$0] }.map { $0 + 1 } ?? 0
        below[parent, default: []].append(node)
      }
      var lines: [String] = []
      var stack = Array((below[nil] ?? []).reversed())
      while let node = stack.popLast() {
        lines.append(
          String(repeating: "  ", count: depth[node.node] ?? 0)
            + "node \(node.node): \(Formatting.count(node.size)) faces, born at distance "
            + (node.lambdaBirth > 0 ? Formatting.decimal(1 / node.lambdaBirth, places: 3) : "∞"))
        stack.append(contentsOf: (below[node.node] ?? []).reversed())
      }
      return lines.joined(separator: "\n")
    }
  }

  private struct Tree: Encodable {
    let clusterId: Int64
    let nodes: [CondensedTreeNode]
  }
}
