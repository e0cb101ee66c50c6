/// Makes the database's files.
struct DataFolder {
  let layout: ServerLayout
  let programs: ServerPrograms
  let runner: CommandRunner
  let durability: Durability

  /// Makes the data folder if it is not there.
  ///
  /// All work is done under another name and ends with a rename, so that an `initdb` that was
  /// interrupted leaves nothing that could be taken for a database; its remains are removed.
  func initialiseIfNeeded() async throws {
    if layout.dataVersion != nil { return }
    guard !Files.exists(layout.data) else {
      throw PrivateServerError.notADataFolder(layout.data)
    }
    let fresh = layout.unfinishedData
    try await runner.run("rm", ["-rf", "--", ServerLayout.unfinishedName], isOwn: true)
    try Files.makeFolder(fresh, mode: 0o700)
    try runner.user.takeOver(fresh)
    let forDurability = durability == .fast ? ["--no-sync"] : ["--data-checksums"]
    try await runner.run(
      programs.initdb,
      [
        "-D", ServerLayout.unfinishedName, "--username=photodb", "--auth=trust", "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
      ] + forDurability)
    let main = fresh + "/postgresql.conf"
    guard let text = Files.text(of: main) else { throw Files.failure("read", main) }
    try Files.write(
      text + "\ninclude_if_exists 'photodb.conf'\n", to: main, owner: runner.user)
    // -F: no waiting for the disk.
    let speed = durability == .fast ? ["-F"] : []
    let answer = try await runner.run(
      programs.postgres,
      ["--single", "-D", ServerLayout.unfinishedName] + speed + ["postgres"],
      input: "CREATE DATABASE photodb\n")
    // In this mode the server goes on, and ends well, after an error.
    if answer.contains("ERROR:") || answer.contains("FATAL:") {
      throw PrivateServerError.commandFailed(
        command: "CREATE DATABASE", reason: CommandRunner.reason(in: answer) ?? answer, log: nil)
    }
    try Files.rename(fresh, to: layout.data)
  }
}
