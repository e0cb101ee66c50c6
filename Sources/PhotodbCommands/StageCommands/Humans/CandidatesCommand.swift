internal import ArgumentParser

/// `photodb candidates list | accept | reject`.
struct CandidatesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "candidates", abstract: "Answers the questions that wait for people.",
    subcommands: [
      CandidatesListCommand.self, CandidatesAcceptCommand.self, CandidatesRejectCommand.self,
    ])
}
