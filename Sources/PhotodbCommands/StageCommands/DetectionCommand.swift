internal import ArgumentParser
internal import FaceClustering
internal import Foundation

/// `photodb detection assign | reject`.
struct DetectionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detection", abstract: "Says where faces belong, and where not.",
    subcommands: [DetectionAssignCommand.self, DetectionRejectCommand.self])
}

/// `photodb detection assign EXTERNAL_ID`.
struct DetectionAssignCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign", abstract: "Puts a face where you say; no algorithm moves it again.",
    discussion: """
      Name one of --cluster, --person and --new-person.

      Example: photodb detection assign faces.npy:17 --new-person --name Ada
      """)

  @Argument(help: "External id of the detection.")
  var externalID: String

  @Option(help: "Id of the cluster.")
  var cluster: Int64?

  @Option(help: "Id of the person; the nearest of the person's clusters is taken.")
  var person: Int64?

  @Flag(name: .long, help: "A person that did not exist before.")
  var newPerson = false

  @Option(help: "Name of the new person.")
  var name: String?

  @Flag(name: .long, help: "Take back an earlier \"not this person\" that stands against it.")
  var anyway = false

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    let targets = (cluster == nil ? 0 : 1) + (person == nil ? 0 : 1) + (newPerson ? 1 : 0)
    if targets != 1 {
      throw ValidationError("Name exactly one of --cluster, --person and --new-person.")
    }
    if name != nil && !newPerson { throw ValidationError("--name goes with --new-person.") }
    if name?.isEmpty ?? false { throw ValidationError("--name must not be empty.") }
  }

  func run() async throws {
    let target: HumanTarget =
      if let cluster { .cluster(cluster) } else if let person { .person(person) } else {
        .newPerson(name: name)
      }
    let actor = ProcessInfo.processInfo.environment["USER"]
    let result = try await DatabaseSession.with(options) {
      try await $0.stage().assign(
        externalID: externalID, to: target, anyway: anyway, actor: actor)
    }
    try options.output.output.report(result) {
      "detection “\(externalID)” is now in cluster \(result.clusterID) of person \(result.personID)"
        + (result.oldClusterID.map { $0 == result.clusterID ? "" : " (was in cluster \($0))" }
          ?? "")
    }
  }
}
