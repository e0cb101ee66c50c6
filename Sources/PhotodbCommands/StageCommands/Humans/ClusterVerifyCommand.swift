internal import ArgumentParser
internal import FaceClustering

/// `photodb cluster verify`.
struct ClusterVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Says that a cluster is right.",
    discussion: """
      A verified cluster keeps its members and takes new faces by a stricter rule only. \
      Example: photodb cluster verify 40, and photodb cluster verify 40 --withdraw to take it back.
      """)

  @Argument(help: "Id of the cluster.")
  var cluster: Int64

  @Flag(name: .long, help: "Take it back.")
  var withdraw = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.verify(cluster: cluster, !withdraw, actor: acting.name)
    }
  }
}
