internal import ArgumentParser

/// The command `photodb`: its name, its help, and the list of its subcommands.
struct Photodb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "photodb",
    abstract: "Groups the faces of a photo collection into people, and keeps the groups stable.",
    discussion: """
      With no --database and no DATABASE_URL, photodb starts a private PostgreSQL of its own in \
      ./.photodb. Exit codes: 0 success, 1 failure, 2 wrong usage.
      """,
    version: photodbVersion,
    subcommands: subcommands)

  /// Every subcommand, in the order in which help shows them.
  static let subcommands: [any ParsableCommand.Type] = [
    DemoCommand.self,
    DatabaseServerCommand.self,
    MigrateCommand.self,
    ImportCommand.self,
    BootstrapCommand.self,
    AssignCommand.self,
    WorkerCommand.self,
    JobsCommand.self,
    MaintainCommand.self,
    StalenessCommand.self,
    RunsCommand.self,
    LineageCommand.self,
    ExportCommand.self,
    EvaluateCommand.self,
    DoctorCommand.self,
    PersonCommand.self,
    ClusterCommand.self,
    DetectionCommand.self,
    CandidatesCommand.self,
    UndoCommand.self,
    ConfigCommand.self,
    HDBSCANCommand.self,
  ]
}

/// Version of the program; it is also written into runs and result files.
let photodbVersion = "0.1.0"
