internal import ArgumentParser
internal import FaceClustering

/// `photodb cluster hide`.
struct ClusterHideCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hide", abstract: "Hides a cluster from lists.",
    discussion:
      "Example: photodb cluster hide 40, and photodb cluster hide 40 --show to see it again.")

  @Argument(help: "Id of the cluster.")
  var cluster: Int64

  @Flag(name: .long, help: "Show the cluster again.")
  var show = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.hide(cluster: cluster, !show, actor: acting.name)
    }
  }
}
