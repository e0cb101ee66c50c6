public import FaceClustering
import Foundation
import Logging
public import PostgresClient
import PrivatePostgres
import Store

/// A private server in a temporary folder, with durable commits as in real use.
public struct BenchmarkDatabase: Sendable {
  /// Connections to the database, which has every migration.
  public let pool: PostgresPool
  private let server: PrivateServer
  private let folder: String

  /// Starts the server and migrates its database.
  public static func start() async throws -> BenchmarkDatabase {
    let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    let folder = "/tmp/photodb-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let server = PrivateServer(directory: folder, logger: logger)
    let pool = PostgresPool(
      try PostgresConfiguration(await server.start()), maximumConnections: 8, logger: logger)
    try await Migrator().migrate(pool)
    return BenchmarkDatabase(pool: pool, server: server, folder: folder)
  }

  /// Stops the server and removes its folder.
  public func stop() async throws {
    await pool.close()
    try await server.stop()
    try FileManager.default.removeItem(atPath: folder)
  }

  /// Starts a server, runs `body`, and stops the server whatever happened.
  public static func with(
    _ body: @Sendable (BenchmarkDatabase) async throws -> Void
  ) async throws {
    let database = try await start()
    do {
      try await body(database)
    } catch {
      try await database.stop()
      throw error
    }
    try await database.stop()
  }

  /// A stage over a collection that does not exist yet.
  public func newCollection(_ name: String, dimension: Int) async throws -> FaceClustering {
    try await FaceClustering.openOrCreate(
      pool: pool, collection: name, embeddingModel: "synthetic", dimension: dimension,
      logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
  }
}
