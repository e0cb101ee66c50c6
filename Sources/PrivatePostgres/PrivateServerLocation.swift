internal import Glibc

/// Where the private server lives when nobody says.
public enum PrivateServerLocation {
  /// The folder for root, where the server's user cannot enter the current folder.
  static let shared = "/var/lib/photodb"

  /// Why the server lives where it does.
  public enum Origin: Sendable, Equatable {
    /// `PHOTODB_HOME` names the folder.
    case variable
    /// `.photodb` in the current folder.
    case currentFolder
    /// `/var/lib/photodb`, since the server's user cannot enter the current folder.
    case shared(user: String, closed: String)
  }

  /// The folder: `PHOTODB_HOME`, else `.photodb` in the current folder, else, as root in a folder that
  /// user `postgres` cannot enter (such as `/root`), `/var/lib/photodb`.
  ///
  /// - Parameters:
  ///   - environment: The variables of the environment.
  ///   - currentDirectory: An absolute path.
  /// - Returns: An absolute path.
  public static func directory(
    environment: [String: String], currentDirectory: String
  ) -> String { find(environment: environment, currentDirectory: currentDirectory).directory }

  /// The same folder, and why it is that one.
  ///
  /// - Parameters: as those of ``directory(environment:currentDirectory:)``.
  public static func find(
    environment: [String: String], currentDirectory: String
  ) -> (directory: String, origin: Origin) {
    if let home = environment["PHOTODB_HOME"], !home.isEmpty {
      return (Files.absolute(home, from: currentDirectory), .variable)
    }
    let local = Files.absolute(".photodb", from: currentDirectory)
    guard geteuid() == 0 else { return (local, .currentFolder) }
    do {
      let user = try ServerUser.find(forData: ServerLayout(home: local).data)
      if user.canEnter(currentDirectory) { return (local, .currentFolder) }
      return (shared, .shared(user: user.name, closed: currentDirectory))
    } catch {
      // No server's user: starting says so, with the folder that would have been used.
      return (local, .currentFolder)
    }
  }

  /// The folder for this process, by its environment and current folder.
  ///
  /// - Throws: ``PrivateServerError`` when the current folder is gone.
  public static func current() throws -> String { try find().directory }

  /// The folder for this process, and why it is that one.
  ///
  /// - Throws: ``PrivateServerError`` when the current folder is gone.
  public static func find() throws -> (directory: String, origin: Origin) {
    guard let pointer = getcwd(nil, 0) else { throw Files.failure("find", "the current folder") }
    defer { free(pointer) }
    let home = getenv("PHOTODB_HOME").map { String(cString: $0) }
    return find(
      environment: home.map { ["PHOTODB_HOME": $0] } ?? [:],
      currentDirectory: String(cString: pointer))
  }
}
