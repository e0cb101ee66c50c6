internal import ArgumentParser
internal import FaceClustering

/// `photodb runs activate`.
struct RunsActivateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activate", abstract: "Puts an earlier run in charge again.",
    discussion: """
      Faces and clusters are as that run left them; ids, names and what people said since stay, and \
      the run that is left can be activated again with nothing lost. \
      Example: photodb runs activate 3 --dry-run
      """)

  @Argument(help: "Id of the run.")
  var id: Int64

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.activate(run: id, actor: acting.name, dryRun: dryRun)
    }
  }
}
