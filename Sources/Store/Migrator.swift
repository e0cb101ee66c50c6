public import PostgresClient

/// Brings the database to the schema that this program needs.
///
/// Files apply in the order of their numbers, each in a transaction of its own, and are recorded
/// with their checksum in table `schema_migration`. Several processes may migrate at once: an
/// advisory lock lets one of them work, and the others then find nothing left to do.
///
/// ```swift
/// let report = try await Migrator().migrate(connection)
/// print(report.applied)  // ["0001_collections_and_faces.sql", …]
/// ```
public struct Migrator: Sendable {
  /// The files, in order.
  public let migrations: [Migration]

  /// A migrator for the files of this program.
  ///
  /// - Throws: ``MigrationError``.
  public init() throws {
    try self.init(migrations: .embedded())
  }

  /// A migrator for other files.
  ///
  /// - Throws: ``MigrationError/notInOrder(_:_:)``.
  public init(migrations: [Migration]) throws {
    for (first, second) in zip(migrations, migrations.dropFirst())
    where first.version >= second.version {
      throw MigrationError.notInOrder(first.name, second.name)
    }
    self.migrations = migrations
  }

  /// Compares the database with the program; changes nothing.
  ///
  /// - Throws: ``MigrationError`` when they do not belong together; ``StoreError`` where the database
  ///   is not UTF-8 or a right is missing; `PostgresError`.
  public func status(_ connection: PostgresConnection) async throws -> MigrationStatus {
    try await Self.explained(on: connection) {
      try await DatabaseChecks.requireUTF8(on: connection)
      let recorded = try await Self.recorded(connection)
      return try MigrationStatus(recorded: recorded, known: migrations)
    }
  }

  /// Applies what is missing.
  ///
  /// - Parameters:
  ///   - connection: A connection outside a transaction. Its session settings are left alone.
  ///   - dryRun: Only tell what would be applied.
  ///   - progress: Called before each file with its number from 1, their count, and its name.
  /// - Throws: ``MigrationError``; the files before the one that failed stay applied.
  @discardableResult
  public func migrate(
    _ connection: PostgresConnection, dryRun: Bool = false,
    progress: @Sendable (_ number: Int, _ count: Int, _ name: String) -> Void = { _, _, _ in }
  ) async throws -> MigrationReport {
    let version = await connection.serverVersion
    guard version >= 150_000 else { throw MigrationError.serverTooOld(version) }
    let status = try await status(connection)
    let names = status.pending.map(\.name)
    if dryRun || names.isEmpty {
      return MigrationReport(applied: [], pending: names, existing: status.applied.count)
    }
    var applied: [String] = []
    for (index, migration) in status.pending.enumerated() {
      progress(index + 1, names.count, migration.name)
      let isNew = try await Self.explained(on: connection) {
        try await apply(migration, on: connection)
      }
      if isNew { applied.append(migration.name) }
    }
    return MigrationReport(
      applied: applied, pending: [], existing: migrations.count - applied.count)
  }

  /// Names the right that is missing where the server refuses something for want of one.
  private static func explained<Value: Sendable>(
    on connection: PostgresConnection, _ work: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await work()
    } catch let error as PostgresError where error.code == .insufficientPrivilege {
      throw try await DatabaseChecks.explain(error, on: connection)
    }
  }

  /// The same, on a connection of a pool.
  @discardableResult
  public func migrate(
    _ pool: PostgresPool, dryRun: Bool = false,
    progress: @Sendable (_ number: Int, _ count: Int, _ name: String) -> Void = { _, _, _ in }
  ) async throws -> MigrationReport {
    try await pool.withConnection { try await migrate($0, dryRun: dryRun, progress: progress) }
  }
}
