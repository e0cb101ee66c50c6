internal import Glibc

/// The few file operations needed here, with errors that name the path.
enum Files {
  /// Who owns a file and what others may do with it.
  struct Facts {
    let owner: uid_t
    let group: gid_t
    let mode: mode_t
    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
  }

  static func failure(_ action: String, _ path: String) -> PrivateServerError {
    .file(path: path, action: action, reason: String(cString: strerror(errno)))
  }

  /// `nil` when there is no such file.
  static func facts(of path: String, followingLinks: Bool = true) -> Facts? {
    var buffer = stat()
    let status = followingLinks ? stat(path, &buffer) : lstat(path, &buffer)
    guard status == 0 else { return nil }
    return Facts(owner: buffer.st_uid, group: buffer.st_gid, mode: buffer.st_mode)
  }

  static func exists(_ path: String) -> Bool { facts(of: path) != nil }

  /// The text of a file; `nil` when there is none or it cannot be read.
  static func text(of path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    return ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
  }

  /// Writes a file as a whole, or not at all.
  static func write(_ text: String, to path: String, owner: ServerUser) throws {
    let fresh = path + ".new"
    guard let file = fopen(fresh, "we") else { throw failure("write", fresh) }
    let written = fputs(text, file)
    guard fclose(file) == 0, written >= 0 else { throw failure("write", fresh) }
    guard chmod(fresh, 0o600) == 0 else { throw failure("set the rights of", fresh) }
    try owner.takeOver(fresh)
    try rename(fresh, to: path)
  }

  static func rename(_ old: String, to new: String) throws {
    guard Glibc.rename(old, new) == 0 else { throw failure("rename", old) }
  }

  /// Removes a file if it is there.
  static func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
  }

  /// Makes a folder, and those above it, if it is not there.
  static func makeFolder(_ path: String, mode: mode_t) throws {
    if let facts = facts(of: path) {
      guard facts.isFolder else {
        throw PrivateServerError.file(
          path: path, action: "use", reason: "it is not a folder")
      }
      return
    }
    let parents = path.split(separator: "/").dropLast()
    var parent = ""
    for part in parents {
      parent += "/" + part
      guard mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw failure("make", parent) }
    }
    guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make", path) }
  }

  /// Makes a folder that only its owner may enter, and those above it, if it is not there.
  ///
  /// Nobody sees it before it is its owner's: another process may be starting the same server.
  static func makeFolder(_ path: String, ownedBy owner: ServerUser) throws {
    guard !exists(path) else { return try makeFolder(path, mode: 0o700) }
    let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    if !parent.isEmpty { try makeFolder(parent, mode: 0o755) }
    var name = Array((path + ".XXXXXX").utf8CString)
    guard mkdtemp(&name) != nil else { throw failure("make", path) }
    let fresh = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    do {
      try owner.takeOver(fresh)
      guard Glibc.rename(fresh, path) == 0 || errno == ENOTEMPTY || errno == EEXIST else {
        throw failure("make", path)
      }
      // Whoever was quicker has made it: ours stays behind under its first name.
      guard rmdir(fresh) == 0 || errno == ENOENT else { throw failure("remove", fresh) }
    } catch {
      rmdir(fresh)
      throw error
    }
  }

  /// The path from the root, without following links.
  static func absolute(_ path: String, from current: String) -> String {
    let whole = path.hasPrefix("/") ? path : current + "/" + path
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Where a path leads after all links; the path itself when it leads nowhere.
  static func resolved(_ path: String) -> String {
    guard let pointer = realpath(path, nil) else { return path }
    defer { free(pointer) }
    return String(cString: pointer)
  }
}
