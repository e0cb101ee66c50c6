internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb undo`.
struct UndoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo", abstract: "Takes back what people did.",
    discussion: """
      Without an id the newest action that stands is taken back, so that repeating it goes further \
      back. The id of an undo does the action again. Example: photodb undo --list
      """)

  @Argument(help: "Id of the action.")
  var action: Int64?

  @Flag(name: .long, help: "List what people did, newest first.")
  var list = false

  @Option(parsing: .unconditional, help: "How many to list.")
  var limit = 20

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if list && action != nil { throw ValidationError("--list takes no id.") }
    if limit < 1 { throw ValidationError("--limit must be at least 1.") }
  }

  func run() async throws {
    if list { return try await listActions() }
    try await options.act {
      try await $0.undo(action: action, actor: acting.name, dryRun: dryRun)
    }
  }

  private func listActions() async throws {
    let actions = try await DatabaseSession.with(options) {
      try await $0.stage().actions(limit: limit)
    }
    try options.output.output.report(List(actions: actions.map(ActionDescription.init))) {
      var table = TextTable([
        ("action", .right), ("when", .left), ("who", .left), ("what", .left), ("", .left),
      ])
      for action in actions {
        table.append([
          "\(action.id)", timeText(action.occurredAt), action.actor ?? "", action.summary,
          action.undoneBy.map { "taken back by \($0)" } ?? "",
        ])
      }
      return actions.isEmpty ? "nobody did anything yet" : table.text
    }
  }

  private struct List: Encodable {
    let actions: [ActionDescription]
  }

  private struct ActionDescription: Encodable {
    let actionId: Int64
    let kind: String
    @OrNull var actor: String?
    let summary: String
    let occurredAt: String
    @OrNull var undoes: Int64?
    @OrNull var undoneBy: Int64?
    init(_ action: HumanActionRecord) {
      actionId = action.id
      kind = action.kind
      actor = action.actor
      summary = action.summary
      occurredAt = timeText(action.occurredAt)
      undoes = action.undoes
      undoneBy = action.undoneBy
    }
  }
}
