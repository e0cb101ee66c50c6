/// What is recorded of an applied file.
struct RecordedMigration: Sendable {
  let version: Int32
  let name: String
  let checksum: String
}

/// Which files the database has, and which it lacks.
public struct MigrationStatus: Sendable {
  /// Those applied, in order.
  public let applied: [Migration]
  /// Those to be applied, in order.
  public let pending: [Migration]

  /// Compares what is recorded in the database with what the program knows.
  ///
  /// - Throws: ``MigrationError`` when an applied file changed, is missing, was passed over, or is
  ///   newer than the program.
  init(recorded: [RecordedMigration], known: [Migration]) throws {
    let byVersion = Dictionary(known.map { ($0.version, $0) }) { first, _ in first }
    let newest = known.last
    for record in recorded {
      guard let migration = byVersion[record.version] else {
        if record.version > newest?.version ?? 0 {
          throw MigrationError.databaseIsNewer(
            database: recorded.last?.name ?? record.name, program: newest?.name ?? "none")
        }
        throw MigrationError.missing(name: record.name)
      }
      guard migration.checksum == record.checksum else {
        throw MigrationError.changed(name: record.name)
      }
    }
    let versions = Set(recorded.map(\.version))
    applied = known.filter { versions.contains($0.version) }
    pending = known.filter { !versions.contains($0.version) }
    if let first = pending.first, let last = recorded.last, first.version < last.version {
      throw MigrationError.skipped(name: first.name, applied: last.name)
    }
  }
}

/// What a migration did.
public struct MigrationReport: Sendable, Equatable {
  /// The files that this call applied.
  public let applied: [String]
  /// The files that a dry run would have applied.
  public let pending: [String]
  /// How many files had been applied before, by this process or another.
  public let existing: Int
}
