internal import ArgumentParser
internal import FaceClustering

/// `photodb detection assign | reject`.
struct DetectionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detection", abstract: "Says where faces belong, and where not.",
    subcommands: [DetectionAssignCommand.self, DetectionRejectCommand.self])
}

/// `photodb detection assign EXTERNAL_ID…`.
struct DetectionAssignCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign", abstract: "Puts faces where you say; no algorithm moves them again.",
    discussion: """
      Name one of --cluster, --person and --new-person.

      Example: photodb detection assign faces.npy:17 faces.npy:18 --new-person --name Ada
      """)

  @Argument(help: "External ids of the detections.")
  var externalIDs: [String]

  @Option(help: "Id of the cluster.")
  var cluster: Int64?

  @Option(help: "Id of the person; each face goes to the nearest of the person's clusters.")
  var person: Int64?

  @Flag(name: .long, help: "A person that did not exist before.")
  var newPerson = false

  @Option(help: "Name of the new person.")
  var name: String?

  @Flag(name: .long, help: "Take back an earlier \"not this person\" that stands against it.")
  var anyway = false

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @OptionGroup var acting: ActorOptions
  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    let targets = (cluster == nil ? 0 : 1) + (person == nil ? 0 : 1) + (newPerson ? 1 : 0)
    if targets != 1 {
      throw ValidationError("Name exactly one of --cluster, --person and --new-person.")
    }
    if name != nil && !newPerson { throw ValidationError("--name goes with --new-person.") }
    if let fault = name.flatMap(PersonName.fault) { throw ValidationError("--name \(fault).") }
  }

  func run() async throws {
    let target: HumanTarget =
      if let cluster { .cluster(cluster) } else if let person { .person(person) } else {
        .newPerson(name: name)
      }
    try await options.act {
      try await $0.assign(
        externalIDs: externalIDs, to: target, anyway: anyway, actor: acting.name, dryRun: dryRun)
    }
  }
}
