internal import Glibc

/// The folder with `initdb`, `pg_ctl` and `postgres` of one version.
struct ServerPrograms {
  /// The oldest version that photodb works with.
  static let oldestMajor = 15

  let folder: String
  /// Such as `15.18`.
  let version: String

  var initdb: String { folder + "/initdb" }
  var pgCtl: String { folder + "/pg_ctl" }
  var postgres: String { folder + "/postgres" }
  var major: Int { Int(version.prefix { $0.isNumber }) ?? 0 }

  /// Finds the programs: first those on `PATH`, then the newest of the usual places.
  ///
  /// - Parameters:
  ///   - major: The version of data that is there; only that one can read it.
  ///   - data: The folder with that data.
  ///   - searchPath: The folders of `PATH`.
  /// - Throws: ``PrivateServerError`` with the command that installs what is missing.
  static func find(
    major: Int?, data: String, searchPath: [String] = systemSearchPath, runner: CommandRunner
  ) async throws -> Self {
    var found: [Self] = []
    for folder in candidates(searchPath: searchPath) {
      let text: String
      do {
        text = try await runner.run(folder + "/postgres", ["--version"])
      } catch is PrivateServerError {
        // Not usable by the server's user: as good as not installed.
        continue
      }
      let number = text.split(separator: " ").first { $0.first?.isNumber == true } ?? ""
      let programs = Self(
        folder: folder,
        version: number.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "")
      found.append(programs)
      if programs.major >= oldestMajor, major == nil || programs.major == major { return programs }
    }
    let versions = found.map(\.version)
    if let major, found.contains(where: { $0.major >= oldestMajor }) {
      throw PrivateServerError.versionMismatch(data: major, directory: data, found: versions)
    }
    throw PrivateServerError.notInstalled(found: versions)
  }

  /// The folders of `PATH`.
  static var systemSearchPath: [String] {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    return path.split(separator: ":").map(String.init)
  }

  /// Folders that hold all three programs, in the order of preference.
  private static func candidates(searchPath: [String]) -> [String] {
    // What PATH names is often a link to one program; the others lie beside its target.
    let onPath = searchPath.map { Files.resolved($0 + "/pg_ctl") }
      .map { String($0.dropLast("/pg_ctl".count)) }
    let debian = versions(in: "/usr/lib/postgresql").map { "/usr/lib/postgresql/\($0)/bin" }
    let redHat = versions(in: "/usr", prefix: "pgsql-").map { "/usr/pgsql-\($0)/bin" }
    var seen: Set<String> = []
    return (onPath + debian + redHat).filter { folder in
      seen.insert(folder).inserted
        && ["initdb", "pg_ctl", "postgres"].allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
    }
  }

  /// The version numbers among the names in a folder, newest first.
  private static func versions(in folder: String, prefix: String = "") -> [Int] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    var versions: [Int] = []
    while let entry = readdir(listing) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(prefix), let version = Int(name.dropFirst(prefix.count)) {
        versions.append(version)
      }
    }
    return versions.sorted(by: >)
  }
}
