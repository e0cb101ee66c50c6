internal import ArgumentParser
internal import FaceClustering

/// `photodb person merge`.
struct PersonMergeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Says that several people are one.",
    discussion: """
      The clusters of the others go to the first person; a face that was said not to be that person \
      goes to the pool instead. The first person keeps its name, or takes the only one that the \
      others have; names that go are named. Example: photodb person merge 12 15 18 --dry-run
      """)

  @Argument(help: "Id of the person that stays.")
  var person: Int64

  @Argument(help: "Ids of the people that are the same.")
  var others: [Int64]

  @Flag(name: .long, help: "Take back what was said against it, and leave those faces in.")
  var anyway = false

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.merge(
        persons: others, into: person, anyway: anyway, actor: acting.name, dryRun: dryRun)
    }
  }
}
