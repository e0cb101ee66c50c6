internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb person split`.
struct PersonSplitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split", abstract: "Says that one person is several.",
    discussion: """
      A person with several clusters is taken apart: the largest stays, every other becomes a person. \
      With --cluster, that cluster is split along the stored hierarchy, into the sub-clusters that \
      the condensed tree already has; --dry-run shows them with their faces. \
      Example: photodb person split 12 --cluster 40 --dry-run
      """)

  @Argument(help: "Id of the person.")
  var person: Int64

  @Option(help: "The cluster of the person to split along the hierarchy.")
  var cluster: Int64?

  @Flag(name: .long, help: "Show the parts, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    if let cluster, dryRun {
      let proposal = try await DatabaseSession.with(options) { session in
        let stage = try await session.stage()
        try await check(cluster, in: stage)
        return try await stage.splitProposal(cluster: cluster)
      }
      try options.output.output.report(proposal) { Self.text(proposal) }
      return
    }
    try await options.act { stage in
      guard let cluster else {
        return try await stage.separate(person: person, actor: acting.name, dryRun: dryRun)
      }
      try await check(cluster, in: stage)
      return try await stage.split(cluster: cluster, actor: acting.name)
    }
  }

  private func check(_ cluster: Int64, in stage: FaceClustering) async throws {
    let owner = try await stage.cluster(cluster).personID
    if owner != person {
      throw CommandFailure("cluster \(cluster) belongs to person \(owner), not to \(person)")
    }
  }

  private static func text(_ proposal: SplitProposal) -> String {
    var table = TextTable([("part", .right), ("faces", .right), ("", .left), ("", .left)])
    for (index, part) in proposal.parts.enumerated() {
      table.append([
        "\(index + 1)", Formatting.count(part.faceCount),
        part.keepsID ? "keeps the id" : "new person",
        part.faces.prefix(5).joined(separator: ", ") + (part.faces.count > 5 ? ", …" : ""),
      ])
    }
    return "cluster \(proposal.clusterID) as run \(proposal.runID) sees it\n\(table.text)\n"
      + "dry run, nothing was written"
  }
}
