/// Why the private server cannot be used; each is one line that says what to do.
public enum PrivateServerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No PostgreSQL that is new enough is installed.
  case notInstalled(found: [String])
  /// The data was written by another major version than those installed.
  case versionMismatch(data: Int, directory: String, found: [String])
  /// As root, the server runs as another user, and that user does not exist.
  case noServerUser(String)
  /// The user that the server runs as cannot reach the folder.
  case unreachable(directory: String, user: String)
  /// The folder belongs to somebody else.
  case foreignFolder(directory: String, owner: String)
  /// The data folder holds something that is not a database.
  case notADataFolder(String)
  /// A system call on a file failed.
  case file(path: String, action: String, reason: String)
  /// One of PostgreSQL's programs failed.
  case commandFailed(command: String, reason: String, log: String?)
  /// Another process is starting or stopping the server, and does not come to an end.
  case busy(lock: String, seconds: Int)
  /// Processes of a server that crashed still use the data.
  case orphans(directory: String, processes: [Int32])

  /// One line: what, where, what to do.
  public var description: String {
    switch self {
    case .notInstalled(let found):
      "PostgreSQL 15 or newer is not installed"
        + (found.isEmpty ? "" : " (found: \(found.joined(separator: ", ")))")
        + "; run `apt-get install -y postgresql`, or set DATABASE_URL to use a server of your own"
    case .versionMismatch(let data, let directory, let found):
      "the data in \(directory) is of PostgreSQL \(data), and installed is "
        + found.joined(separator: ", ")
        + "; run `apt-get install -y postgresql-\(data)`, or set PHOTODB_HOME to another folder"
    case .noServerUser(let user):
      "PostgreSQL does not run as root, and there is no user “\(user)” to run it as;"
        + " run `apt-get install -y postgresql`, or run photodb as another user"
    case .unreachable(let directory, let user):
      "PostgreSQL runs as user “\(user)” here, who cannot reach \(directory);"
        + " set PHOTODB_HOME to a folder that everybody may enter, such as /var/lib/photodb"
    case .foreignFolder(let directory, let owner):
      "\(directory) belongs to \(owner); run photodb as that user, or set PHOTODB_HOME"
    case .notADataFolder(let directory):
      "\(directory) exists but holds no PostgreSQL data; move it away, or set PHOTODB_HOME"
    case .file(let path, let action, let reason):
      "cannot \(action) \(path): \(reason)"
    case .commandFailed(let command, let reason, let log):
      "\(command) failed: \(reason)" + (log.map { "; see \($0)" } ?? "")
    case .busy(let lock, let seconds):
      "another process has been starting or stopping the server for \(seconds) s; see \(lock)"
    case .orphans(let directory, let processes):
      "processes of a server that crashed still use \(directory):"
        + " \(processes.map(String.init).joined(separator: ", ")); end them and try again"
    }
  }
}
