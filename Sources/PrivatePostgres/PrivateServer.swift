internal import Glibc
public import Logging

/// A PostgreSQL server that belongs to photodb alone: a data folder, a Unix socket for its owner,
/// no TCP.
///
/// ```swift
/// let server = PrivateServer(directory: try PrivateServerLocation.current(), logger: logger)
/// let url = try await server.start()
/// ```
///
/// Starting is safe from several processes at once and after a crash. The server goes on when the
/// process ends; ``stop()`` ends it. As root it runs as user `postgres`, or as the owner of data that
/// is there.
public struct PrivateServer: Sendable {
  /// What is known of a server.
  public struct Status: Sendable, Hashable {
    /// Whether it accepts connections.
    public let isRunning: Bool
    /// The folder with the database.
    public let dataDirectory: String
    /// Where to connect once it runs.
    public let url: String
    /// The version of the data, a major number such as `15`; `nil` before the first start.
    public let version: Int?
    /// The server's process.
    public let processID: Int32?
    /// The file that it logs to.
    public let logFile: String
  }

  let layout: ServerLayout
  let durability: Durability
  let logger: Logger

  /// Describes the server of a folder; nothing is started or made.
  ///
  /// - Parameters:
  ///   - directory: The folder for everything; relative paths start at the current folder.
  ///   - durability: What a crash may cost.
  ///   - logger: Told about slow steps.
  public init(directory: String, durability: Durability = .full, logger: Logger) {
    let current = getcwd(nil, 0)
    defer { free(current) }
    layout = ServerLayout(
      home: Files.absolute(directory, from: current.map { String(cString: $0) } ?? "/"))
    self.durability = durability
    self.logger = logger
  }

  /// Whether the server runs, and where.
  ///
  /// Starts nothing and changes nothing.
  public func status() -> Status {
    let running = RunningServer.find(layout)
    return Status(
      isRunning: running != nil, dataDirectory: layout.data,
      url: ServerLayout.url(socketFolder: running?.socketFolder ?? layout.socketFolder),
      version: layout.dataVersion, processID: running?.processID, logFile: layout.log)
  }

  /// Starts the server unless it runs, making the database at the first time.
  ///
  /// - Returns: The URL to connect to.
  /// - Throws: ``PrivateServerError``.
  @discardableResult
  public func start() async throws -> String {
    if let running = RunningServer.find(layout) {
      return ServerLayout.url(socketFolder: running.socketFolder)
    }
    let user = try prepareHome()
    let lock = try await ServerLock.acquire(layout.lock)
    let running = try await startLocked(as: user)
    _ = consume lock
    return ServerLayout.url(socketFolder: running.socketFolder)
  }

  /// Stops the server.
  ///
  /// Connections are ended, and their transactions rolled back.
  ///
  /// - Returns: Whether it ran.
  /// - Throws: ``PrivateServerError``.
  @discardableResult
  public func stop() async throws -> Bool {
    guard Files.exists(layout.postmasterFile) else { return false }
    let user = try ServerUser.find(forData: layout.data)
    let lock = try await ServerLock.acquire(layout.lock)
    let wasRunning = try await stopLocked(as: user)
    _ = consume lock
    return wasRunning
  }
}
