internal import ArgumentParser
internal import FaceClustering

/// `photodb person hide`.
struct PersonHideCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hide", abstract: "Hides a person from lists.",
    discussion:
      "Example: photodb person hide 12, and photodb person hide 12 --show to see it again.")

  @Argument(help: "Id of the person.")
  var person: Int64

  @Flag(name: .long, help: "Show the person again.")
  var show = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.act {
      try await $0.hide(person: person, !show, actor: acting.name)
    }
  }
}
