internal import ArgumentParser
internal import FaceClustering

/// `photodb detection reject`.
struct DetectionRejectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Says that faces are not the person where they are.",
    discussion: """
      The faces go to the pool, and nothing but a human puts them back to that cluster or person. \
      Only the faces that are named move. Example: photodb detection reject IMG_0001:2 IMG_0002:1
      """)

  @Argument(help: "External ids of the detections.")
  var externalIDs: [String]

  @Option(help: "Say it of this cluster instead of where the faces are.")
  var cluster: Int64?

  @Option(help: "Say it of this person instead of where the faces are.")
  var person: Int64?

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if cluster != nil && person != nil {
      throw ValidationError("--cluster and --person exclude each other.")
    }
  }

  func run() async throws {
    let target: RejectionTarget? =
      if let cluster { .cluster(cluster) } else if let person { .person(person) } else { nil }
    try await options.act {
      try await $0.reject(
        externalIDs: externalIDs, from: target, actor: acting.name, dryRun: dryRun)
    }
  }
}
