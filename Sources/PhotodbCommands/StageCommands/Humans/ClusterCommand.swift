internal import ArgumentParser

/// `photodb cluster show | verify | hide | represent | tree`.
struct ClusterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster", abstract: "Shows, verifies and hides clusters.",
    subcommands: [
      ClusterShowCommand.self, ClusterVerifyCommand.self, ClusterHideCommand.self,
      ClusterRepresentCommand.self, ClusterTreeCommand.self,
    ])
}
