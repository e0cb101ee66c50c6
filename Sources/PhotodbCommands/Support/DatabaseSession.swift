internal import Logging
internal import PostgresClient
internal import PrivatePostgres
internal import Store

/// The database that a command works on, open and with the schema that this program needs.
struct DatabaseSession: Sendable {
  /// Connections to it.
  let pool: PostgresPool
  /// Name of the collection that the command is about.
  let collection: String
  /// The settings in force.
  let settings: ResolvedSettings
  /// Receives notices.
  let logger: Logger
  /// Whether it is photodb's own server rather than one that the user named.
  let isPrivate: Bool

  /// Runs `body` on the database that the options, the environment or the settings file name, and
  /// otherwise on the private server, which is started where it does not run.
  ///
  /// - Parameters:
  ///   - options: the options of the command.
  ///   - schema: what happens when migrations are missing.
  ///   - maximumConnections: the most connections that are open at once.
  ///   - logger: receives notices; nil takes that of the options.
  ///   - body: the work; the connections are closed after it, whatever it throws.
  /// - Throws: ``CommandFailure`` for settings that are wrong and for migrations that are pending;
  ///   `MigrationError` where the database does not belong to this program, above all where it is
  ///   newer; `StoreError.missingRights`, `PostgresError`, `PrivateServerError`; what `body` throws.
  static func with<Result: Sendable>(
    _ options: GlobalOptions, schema: SchemaCheck = .current, maximumConnections: Int = 4,
    logger: Logger? = nil, _ body: (DatabaseSession) async throws -> Result
  ) async throws -> Result {
    let logger = logger ?? options.output.logger
    let settings = try await SettingsLoader().load(
      options.settings, databaseURL: options.database.database)
    let url =
      if let given = settings.databaseURL { given } else {
        try await startPrivateServer(logger: logger)
      }
    let configuration = try PostgresConfiguration(url)
    if options.database.database != nil, configuration.hasPassword {
      logger.warning(
        """
        every user of this machine can read the password of --database in the list of processes; use \
        DATABASE_URL or a password file
        """)
    }
    let session = DatabaseSession(
      pool: PostgresPool(
        configuration, maximumConnections: maximumConnections, logger: logger),
      collection: options.database.name, settings: settings, logger: logger,
      isPrivate: settings.databaseURL == nil)
    do {
      if schema == .current { try await session.ensureSchema() }
      let result = try await body(session)
      await session.pool.close()
      return result
    } catch {
      let explained = await session.explained(error)
      await session.pool.close()
      throw explained
    }
  }

  /// The error that names the right where the server refused something for want of one.
  private func explained(_ error: any Error) async -> any Error {
    guard let refusal = error as? PostgresError, refusal.code == .insufficientPrivilege else {
      return error
    }
    do {
      let explained: StoreError = try await pool.withTransaction {
        try DatabaseChecks.explain(refusal, on: $0)
      }
      return explained
    } catch {
      return refusal
    }
  }

  private static func startPrivateServer(logger: Logger) async throws -> String {
    let (directory, origin) = try PrivateServerLocation.find()
    let server = PrivateServer(directory: directory, logger: logger)
    let status = server.status()
    if !status.isRunning {
      if let explanation = origin.explanation { logger.warning("\(explanation)") }
      let verb = status.version == nil ? "making" : "starting"
      logger.notice("\(verb) the private PostgreSQL in \(status.dataDirectory)")
    }
    return try await server.start()
  }

  /// Our own server is migrated silently; on one that the user named, the user decides when.
  func ensureSchema() async throws {
    let migrator = try Migrator()
    let pending = try await pool.withConnection { try await migrator.status($0).pending }
    guard !pending.isEmpty else { return }
    guard isPrivate else {
      throw CommandFailure(
        "the database lacks \(pending.count) migration\(pending.count == 1 ? "" : "s") "
          + "(\(pending.map(\.name).joined(separator: ", "))): run `photodb migrate`")
    }
    try await migrator.migrate(pool) { [logger] _, _, name in
      logger.debug("applying migration \(name)")
    }
  }
}

extension PrivateServerLocation.Origin {
  /// Why the folder is not the one that people expect; nil where it is.
  var explanation: String? {
    guard case .shared(let user, let closed) = self else { return nil }
    return "as root, PostgreSQL runs as user \(user), who cannot enter \(closed): the data is in "
      + "/var/lib/photodb; set PHOTODB_HOME to have it elsewhere"
  }
}

/// What a command needs of the schema.
enum SchemaCheck: Sendable {
  /// All migrations of this program; the private server gets what it lacks.
  case current
  /// Nothing: the command looks after migrations itself.
  case none
}
