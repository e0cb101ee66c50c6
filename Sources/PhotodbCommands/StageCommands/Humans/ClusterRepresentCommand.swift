internal import ArgumentParser
internal import FaceClustering

/// `photodb cluster represent`.
struct ClusterRepresentCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "represent", abstract: "Chooses the face that stands for a cluster.",
    discussion: "Example: photodb cluster represent 40 IMG_0001:2")

  @Argument(help: "Id of the cluster.")
  var cluster: Int64

  @Argument(help: "External id of a member; none leaves it to the medoid.")
  var externalID: String?

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.represent(cluster: cluster, by: externalID, actor: acting.name)
    }
  }
}
