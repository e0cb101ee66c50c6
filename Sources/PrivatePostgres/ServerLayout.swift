internal import Glibc

/// Where the files of a private server lie.
///
/// ```
/// HOME/data          the database
/// HOME/socket        the Unix socket, for the owner alone
/// HOME/server.log    what the server says
/// HOME/lock          held while somebody starts or stops the server
/// ```
struct ServerLayout {
  /// The length of `sockaddr_un.sun_path`, with the zero at its end.
  static let longestSocketPath = 108
  static let port = 5432

  let home: String

  static let dataName = "data"
  /// `initdb` works here, so that a folder named `data` is always complete.
  static let unfinishedName = "data.unfinished"
  static let logName = "server.log"

  var data: String { home + "/" + Self.dataName }
  var unfinishedData: String { home + "/" + Self.unfinishedName }
  var log: String { home + "/" + Self.logName }
  var lock: String { home + "/lock" }
  var postmasterFile: String { data + "/postmaster.pid" }
  var settings: String { data + "/photodb.conf" }

  /// The folder of the socket.
  ///
  /// It is in the home where the path is short and plain enough, else a short one whose name
  /// follows from the home, so that every process finds the same.
  var socketFolder: String {
    let inside = home + "/socket"
    let fits = Self.socketPath(in: inside).utf8.count < Self.longestSocketPath
    return fits && Self.isPlain(inside) ? inside : shortFolder
  }

  /// Whether the server's settings and a client's `host` take the path as it is; a comma, for
  /// example, separates hosts.
  private static func isPlain(_ path: String) -> Bool {
    !path.unicodeScalars.contains { $0.value < 32 || "'\",\\".unicodeScalars.contains($0) }
  }

  /// Whether the socket is outside the home, where it has to be removed after use.
  var isSocketFolderTemporary: Bool { socketFolder == shortFolder }

  /// Always `/tmp`: `TMPDIR` may differ between processes that must meet, and may be long.
  private var shortFolder: String { "/tmp/photodb-" + Self.fingerprint(home) }

  static func socketPath(in folder: String) -> String { folder + "/.s.PGSQL.\(port)" }

  /// The major version of the data, `nil` where there is none.
  var dataVersion: Int? {
    Files.text(of: data + "/PG_VERSION").flatMap { Int($0.prefix { $0.isNumber }) }
  }

  /// The URL for a socket folder.
  static func url(socketFolder: String) -> String {
    "postgresql://photodb@/photodb?host=\(percentEncoded(socketFolder))&port=\(port)"
  }

  /// FNV-1a over the path's bytes: stable, unlike Swift's own hashes.
  private static func fingerprint(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 36)
  }

  private static func percentEncoded(_ path: String) -> String {
    var encoded = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "_"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        encoded += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return encoded
  }
}
