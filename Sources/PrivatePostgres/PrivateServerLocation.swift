internal import Glibc

/// Where the private server lives when nobody says.
public enum PrivateServerLocation {
  /// The folder for root, where the server's user cannot enter the current folder.
  static let shared = "/var/lib/photodb"

  /// The folder: `PHOTODB_HOME`, else `.photodb` in the current folder, else, as root in a folder that
  /// user `postgres` cannot enter (such as `/root`), `/var/lib/photodb`.
  ///
  /// - Parameters:
  ///   - environment: The variables of the environment.
  ///   - currentDirectory: An absolute path.
  /// - Returns: An absolute path.
  public static func directory(
    environment: [String: String], currentDirectory: String
  ) -> String {
    if let home = environment["PHOTODB_HOME"], !home.isEmpty {
      return Files.absolute(home, from: currentDirectory)
    }
    let local = Files.absolute(".photodb", from: currentDirectory)
    guard geteuid() == 0 else { return local }
    do {
      let user = try ServerUser.find(forData: ServerLayout(home: local).data)
      return user.canEnter(currentDirectory) ? local : shared
    } catch {
      // No server's user: starting says so, with the folder that would have been used.
      return local
    }
  }

  /// The folder for this process, by its environment and current folder.
  ///
  /// - Throws: ``PrivateServerError`` when the current folder is gone.
  public static func current() throws -> String {
    guard let pointer = getcwd(nil, 0) else { throw Files.failure("find", "the current folder") }
    defer { free(pointer) }
    let home = getenv("PHOTODB_HOME").map { String(cString: $0) }
    return directory(
      environment: home.map { ["PHOTODB_HOME": $0] } ?? [:],
      currentDirectory: String(cString: pointer))
  }
}
