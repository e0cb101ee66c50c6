internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb person list | name | merge | split | hide`.
struct PersonCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "person", abstract: "Lists, names, merges and splits people.",
    subcommands: [
      PersonListCommand.self, PersonNameCommand.self, PersonMergeCommand.self,
      PersonSplitCommand.self, PersonHideCommand.self,
    ])
}

/// A person as JSON shows one.
struct PersonDescription: Encodable {
  let personId: Int64
  @OrNull var name: String?
  let clusters: Int
  let faces: Int

  init(_ person: PersonRecord) {
    personId = person.id
    name = person.name
    clusters = person.clusterCount
    faces = person.faceCount
  }
}

/// `photodb person list`.
struct PersonListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists people, most faces first.",
    discussion: "Example: photodb person list --limit 10")

  @Option(parsing: .unconditional, help: "How many to list.")
  var limit = 50

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if limit < 1 { throw ValidationError("--limit must be at least 1.") }
  }

  func run() async throws {
    let people = try await DatabaseSession.with(options) {
      try await $0.stage().people(limit: limit)
    }
    try options.output.output.report(List(people: people.map(PersonDescription.init))) {
      var table = TextTable([
        ("person", .right), ("name", .left), ("faces", .right), ("clusters", .right),
      ])
      for person in people {
        table.append([
          "\(person.id)", person.name ?? "", Formatting.count(person.faceCount),
          "\(person.clusterCount)",
        ])
      }
      return people.isEmpty ? "no people yet" : table.text
    }
  }

  private struct List: Encodable {
    let people: [PersonDescription]
  }
}

/// `photodb person name PERSON NAME`.
struct PersonNameCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "name", abstract: "Gives a person a name; an empty one takes it away.",
    discussion: "Example: photodb person name 12 \"Ada Lovelace\"")

  @Argument(help: "Id of the person.")
  var person: Int64

  @Argument(help: "The name.")
  var name: String

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if !name.isEmpty, let fault = PersonName.fault(name) {
      throw ValidationError("The name \(fault).")
    }
  }

  func run() async throws {
    let (record, report) = try await DatabaseSession.with(options) {
      try await $0.stage().giveName(
        name.isEmpty ? nil : name, toPerson: person, actor: acting.name)
    }
    try options.output.output.report(
      Named(person: PersonDescription(record), report: report)
    ) {
      "person \(record.id) is now \(record.name.map { "“\($0)”" } ?? "unnamed") "
        + "(\(Formatting.count(record.faceCount, "face")))"
        + (report.undoLine.map { "\n" + $0 } ?? "")
    }
  }

  /// The person, and the action as every other command of people describes it.
  private struct Named: Encodable {
    let person: PersonDescription
    let report: HumanActionReport

    func encode(to encoder: any Encoder) throws {
      try report.encode(to: encoder)
      try person.encode(to: encoder)
    }
  }
}
