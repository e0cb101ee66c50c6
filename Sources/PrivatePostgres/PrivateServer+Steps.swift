internal import Glibc
internal import Logging

/// The steps of starting and stopping, done with the lock held.
extension PrivateServer {
  /// How long a server may take to recover from a crash, or to shut down.
  private static let patience = 300

  /// Makes the home folder, for the server's user.
  ///
  /// A folder that is there keeps its owner: it may hold other things. What the server writes is
  /// made, and given to its user, one by one.
  func prepareHome() throws -> ServerUser {
    let user = try ServerUser.find(forData: layout.data)
    let parent = String(layout.home[..<(layout.home.lastIndex(of: "/") ?? layout.home.startIndex)])
    guard user.canEnter(parent.isEmpty ? "/" : parent) else {
      throw PrivateServerError.unreachable(directory: layout.home, user: user.name)
    }
    try Files.makeFolder(layout.home, ownedBy: user)
    guard user.canEnter(layout.home) else {
      throw PrivateServerError.unreachable(directory: layout.home, user: user.name)
    }
    return user
  }

  func startLocked(as user: ServerUser) async throws -> RunningServer {
    if let running = try await settled() { return running }
    let runner = CommandRunner(user: user, folder: layout.home)
    let programs = try await ServerPrograms.find(
      major: layout.dataVersion, data: layout.data, runner: runner)
    if layout.dataVersion == nil {
      logger.info("making a database", metadata: ["directory": "\(layout.data)"])
    }
    try await DataFolder(
      layout: layout, programs: programs, runner: runner, durability: durability
    ).initialiseIfNeeded()
    try prepareSocketFolder(user)
    try removeStaleFiles()
    try prepareLog(user)
    try Files.write(
      ServerSettings.text(socketFolder: layout.socketFolder, durability: durability),
      to: layout.settings, owner: user)
    do {
      try await runner.run(
        programs.pgCtl,
        [
          "start", "-D", ServerLayout.dataName, "-l", ServerLayout.logName, "-w", "-t",
          String(Self.patience), "-s",
        ])
    } catch PrivateServerError.commandFailed(let command, let reason, _) {
      let told = Files.text(of: layout.log).flatMap(CommandRunner.reason(in:))
      throw PrivateServerError.commandFailed(
        command: "\(command) start", reason: told ?? reason, log: layout.log)
    }
    guard let running = RunningServer.find(layout) else {
      throw PrivateServerError.commandFailed(
        command: "pg_ctl start", reason: "the server started but does not accept connections",
        log: layout.log)
    }
    return running
  }

  func stopLocked(as user: ServerUser) async throws -> Bool {
    guard try await settled() != nil else { return false }
    let runner = CommandRunner(user: user, folder: layout.home)
    let programs = try await ServerPrograms.find(
      major: layout.dataVersion, data: layout.data, runner: runner)
    try await runner.run(
      programs.pgCtl,
      ["stop", "-D", ServerLayout.dataName, "-m", "fast", "-w", "-t", String(Self.patience), "-s"],
      log: layout.log)
    if layout.isSocketFolderTemporary { rmdir(layout.socketFolder) }
    return true
  }

  /// Waits until the server either accepts connections or is gone with all of its processes.
  ///
  /// Another program may be stopping it, and the children of one that was killed take a moment to
  /// see that.
  private func settled() async throws -> RunningServer? {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(Self.patience)
    while true {
      if let running = RunningServer.find(layout) { return running }
      let processes = RunningServer.processes(in: layout.data)
      if processes.isEmpty { return nil }
      guard clock.now < deadline else {
        throw PrivateServerError.orphans(directory: layout.data, processes: processes)
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  private func prepareSocketFolder(_ user: ServerUser) throws {
    let folder = layout.socketFolder
    try Files.makeFolder(folder, mode: 0o700)
    try user.takeOver(folder)
    // In /tmp somebody else may have made it, or a link, to get between us and the server.
    guard let facts = Files.facts(of: folder, followingLinks: false), facts.isFolder,
      facts.owner == user.id, chmod(folder, 0o700) == 0
    else {
      throw PrivateServerError.foreignFolder(directory: folder, owner: "somebody else")
    }
  }

  /// Removes what a crash left and PostgreSQL would take for a sign of life.
  ///
  /// A number in `postmaster.pid` may meanwhile be that of another process, in a container almost
  /// always. No process works in the data folder (see ``settled()``), so it is stale. Where the
  /// number belongs to nobody, PostgreSQL finds that out itself, with checks of its own.
  private func removeStaleFiles() throws {
    if let recorded = RunningServer.recordedProcess(layout),
      kill(recorded, 0) == 0 || errno == EPERM
    {
      logger.info("removing the postmaster.pid of a server that crashed")
      try Files.remove(layout.postmasterFile)
    }
    let socket = ServerLayout.socketPath(in: layout.socketFolder)
    try Files.remove(socket)
    try Files.remove(socket + ".lock")
  }

  /// Makes the log where there is none, and keeps one old log beside the new one.
  private func prepareLog(_ user: ServerUser) throws {
    var buffer = stat()
    if stat(layout.log, &buffer) == 0 {
      guard buffer.st_size > 10_000_000 else { return }
      try Files.rename(layout.log, to: layout.log + ".1")
    }
    try Files.write("", to: layout.log, owner: user)
  }
}
