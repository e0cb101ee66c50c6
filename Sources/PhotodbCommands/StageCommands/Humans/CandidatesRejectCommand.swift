internal import ArgumentParser
internal import FaceClustering

/// `photodb candidates reject`.
struct CandidatesRejectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Answers questions with no.",
    discussion: """
      The face is not that person: no question about any of the person's clusters is asked again, and \
      no algorithm puts it there. Example: photodb candidates reject 7 8 9
      """)

  @Argument(help: "Ids of the candidates.")
  var candidates: [Int64]

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.reject(candidates: candidates, actor: acting.name, dryRun: dryRun)
    }
  }
}
