/// Why the database cannot be brought up to date; each is one line that says what to do.
public enum MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A file's name does not begin with a number.
  case badName(String)
  /// Two files have the same number, or they are not in order.
  case notInOrder(String, String)
  /// A file was applied and has changed since.
  case changed(name: String)
  /// A file was applied that the program does not know, among those it does.
  case missing(name: String)
  /// A file was not applied although a later one was.
  case skipped(name: String, applied: String)
  /// The database was migrated by a newer program.
  case databaseIsNewer(database: String, program: String)
  /// The server is too old.
  case serverTooOld(Int)
  /// A statement failed; nothing of its file has happened.
  case failed(name: String, line: Int?, reason: String)
  /// A file ended its transaction by itself.
  case leftTransaction(name: String)

  /// One line: what, where, what to do.
  public var description: String {
    switch self {
    case .badName(let name):
      "migration “\(name)” has no number: name it like 0004_what_it_does.sql"
    case .notInOrder(let first, let second):
      "migrations \(first) and \(second) are not in ascending order: give each a number of its own"
    case .changed(let name):
      "migration \(name) was changed after it had been applied to this database;"
        + " restore the file, and put the change into a new one"
    case .missing(let name):
      "migration \(name) was applied to this database but is not part of this program;"
        + " use the program that the database was made with"
    case .skipped(let name, let applied):
      "migration \(name) was never applied to this database, but the later \(applied) was;"
        + " give it a number after that"
    case .databaseIsNewer(let database, let program):
      "the database is newer than this program: it has migration \(database),"
        + " the program ends with \(program); update photodb"
    case .serverTooOld(let version):
      "the server is PostgreSQL \(version / 10_000); photodb needs 15 or newer"
    case .failed(let name, let line, let reason):
      "migration \(name)" + (line.map { " failed at line \($0)" } ?? " failed") + ": \(reason)"
    case .leftTransaction(let name):
      "migration \(name) has a COMMIT or ROLLBACK; leave it out, each file is one transaction"
    }
  }
}
