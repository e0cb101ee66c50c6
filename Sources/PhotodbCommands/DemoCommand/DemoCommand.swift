internal import ArgumentParser
internal import FaceClustering
internal import Foundation
internal import PrivatePostgres
internal import Store

/// `photodb demo`.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Shows the whole story on bundled real faces.",
    discussion: """
      Starts the private PostgreSQL, imports 6,410 bundled faces of public photos into the \
      collection "demo" (a fifth of them held back as later arrivals), fits, assigns the arrivals, \
      checks staleness before and after, and compares the people found with the known identities. \
      Run again, it replaces the collection "demo" of the demo before, and says so; it refuses to \
      where that holds anything else, and no other collection is touched. A server that you name \
      must have been migrated (photodb migrate).

      Example: photodb demo --json > demo.json
      """)

  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @Option(
    name: .long,
    help: ArgumentHelp(
      "PostgreSQL to use. Default: DATABASE_URL, else photodb's own private server.",
      valueName: "URL"))
  var database: String?
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    var options = GlobalOptions()
    options.database = DatabaseOptions()
    options.database.collection = DemoStory.collection
    options.database.database = database
    options.settings = settings
    options.output = output
    let story = DemoStory(output: output)
    let report = try await DatabaseSession.with(options, schema: .none) { session in
      try await story.tell(session)
    }
    try output.output.report(report) { report.text }
  }
}
