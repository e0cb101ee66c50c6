internal import Glibc

/// What can be seen of the server from outside: its `postmaster.pid`, its processes, its socket.
struct RunningServer {
  let processID: Int32
  let socketFolder: String

  /// The server on a data folder, if it accepts connections.
  ///
  /// The lines of the file are described in PostgreSQL's `pidfile.h`. They are left behind by a
  /// crash, so that a connection to the socket decides.
  static func find(_ layout: ServerLayout) -> Self? {
    guard let text = Files.text(of: layout.postmasterFile) else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 8, let processID = Int32(lines[0]),
      lines[7].hasPrefix("ready"), accepts(String(lines[4]))
    else { return nil }
    return Self(processID: processID, socketFolder: String(lines[4]))
  }

  /// The process that `postmaster.pid` names, whether or not it is there.
  static func recordedProcess(_ layout: ServerLayout) -> Int32? {
    Files.text(of: layout.postmasterFile).flatMap { Int32($0.prefix { $0.isNumber }) }
  }

  /// Processes at work in the data folder: a server that starts or stops, or what a crashed one
  /// left.
  ///
  /// All of PostgreSQL's processes have the data folder as their current folder.
  static func processes(in data: String) -> [Int32] {
    guard let listing = opendir("/proc") else { return [] }
    defer { closedir(listing) }
    let target = Files.resolved(data)
    var found: [Int32] = []
    while let entry = readdir(listing) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let id = Int32(name), id != getpid(), link("/proc/\(id)/cwd") == target,
        Files.text(of: "/proc/\(id)/comm")?.hasPrefix("postgres") == true
      else { continue }
      found.append(id)
    }
    return found
  }

  private static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(path, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Whether somebody listens on the socket in a folder.
  private static func accepts(_ folder: String) -> Bool {
    let path = Array(ServerLayout.socketPath(in: folder).utf8)
    guard !folder.isEmpty, path.count < ServerLayout.longestSocketPath else { return false }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    } == 0
  }
}
