internal import ArgumentParser
internal import FaceClustering

/// `photodb candidates accept`.
struct CandidatesAcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Answers a question with yes.",
    discussion: """
      The face goes to the cluster by hand, and what else was asked about it is closed. \
      Example: photodb candidates accept 7
      """)

  @Argument(help: "Id of the candidate.")
  var candidate: Int64

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.accept(candidate: candidate, actor: acting.name)
    }
  }
}
