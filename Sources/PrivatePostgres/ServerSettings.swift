internal import Glibc

/// How much a crash of the machine may cost.
public enum Durability: Sendable, Hashable {
  /// What was committed survives.
  case full
  /// The whole database may be lost; for tests, where it need not outlive them.
  case fast
}

/// The server's configuration file.
enum ServerSettings {
  /// The text of `photodb.conf`, which is written anew at every start.
  ///
  /// Settings made with `ALTER SYSTEM` come after it and win.
  static func text(socketFolder: String, durability: Durability) -> String {
    var settings = [
      ("listen_addresses", "''"),
      ("port", "\(ServerLayout.port)"),
      // The folder's name has no quotes or commas: see `ServerLayout`.
      ("unix_socket_directories", "'\"\(socketFolder)\"'"),
      ("unix_socket_permissions", "0700"),
      ("max_connections", durability == .fast ? "400" : "200"),
      ("shared_buffers", "\(sharedBuffersMegabytes)MB"),
      ("work_mem", "32MB"),
      ("maintenance_work_mem", "128MB"),
      ("max_wal_size", "2GB"),
      ("checkpoint_timeout", "15min"),
      // No replica reads this server's log; a COPY into a new table then writes its data once.
      ("wal_level", "minimal"),
      ("max_wal_senders", "0"),
      ("jit", "off"),
      ("random_page_cost", "1.1"),
      ("timezone", "'UTC'"),
      ("log_timezone", "'UTC'"),
      ("log_line_prefix", "'%m [%p] '"),
    ]
    if durability == .fast {
      settings += [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")]
    } else {
      settings += [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")]
    }
    let lines = settings.map { "\($0) = \($1)" }
    return (["# Written by photodb at every start."] + lines).joined(separator: "\n") + "\n"
  }

  /// An eighth of the memory, at most 256 MB: the rest is for the fit.
  private static var sharedBuffersMegabytes: Int {
    let bytes = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
    return min(256, max(32, bytes / 8 / 1_048_576))
  }
}
