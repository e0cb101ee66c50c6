import Glibc

/// Writes a file so that readers see the old content or the new, never a part.
///
/// The bytes go to a temporary file in the same folder, which is flushed to the disk and then
/// renamed over the destination. Whatever fails leaves the destination as it was.
public enum AtomicFile {
  /// Writes `bytes` to `path`.
  ///
  /// - Throws: `TensorFileError` where the folder is missing, the destination is not a regular
  ///   file, or the disk refuses.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    try write(to: path) { sink in try bytes.withUnsafeBytes { try sink($0) } }
  }

  /// Writes what `produce` hands to the sink, piece by piece, to `path`.
  ///
  /// - Throws: `TensorFileError`, or what `produce` throws.
  public static func write(
    to path: String,
    produce: (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let target = try destination(path)
    let (descriptor, temporary) = try createTemporary(beside: target, for: path)
    do {
      do {
        try produce { try writeAll($0, to: descriptor, path: path) }
        guard fsync(descriptor) == 0 else { throw failure(path, "cannot be flushed") }
      } catch {
        close(descriptor)
        throw error
      }
      guard close(descriptor) == 0 else { throw failure(path, "cannot be closed") }
      guard rename(temporary, target) == 0 else { throw failure(path, "cannot be replaced") }
    } catch {
      unlink(temporary)
      throw error
    }
    flushFolder(of: target)
  }

  /// Checks that `path` could be written now, so that long work does not end in a refusal.
  ///
  /// - Throws: `TensorFileError` where the folder is missing or not writable, or `path` is no
  ///   regular file.
  public static func checkDestination(_ path: String) throws {
    let folder = folder(of: try destination(path))
    guard access(folder, W_OK | X_OK) == 0 else {
      throw TensorFileError(
        path: path, what: "cannot be written: folder \(folder): \(systemMessage(errno))",
        advice: "give a path in a folder that exists and is writable")
    }
  }

  /// The file to replace: links are followed, so that a link stays a link.
  private static func destination(_ path: String) throws -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    // Renaming over a device or a folder would destroy it or fail late.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TensorFileError(
        path: path, what: "exists and is not a regular file", advice: "give the path of a file")
    }
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func createTemporary(
    beside target: String, for path: String
  ) throws -> (Int32, String) {
    var tries = 0
    while true {
      let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let temporary = "\(target).\(suffix).tmp"
      // 0666 lets the user's umask decide, as for any other file.
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, temporary) }
      tries += 1
      guard errno == EEXIST || errno == EINTR, tries < 100 else {
        throw failure(path, "cannot be written")
      }
    }
  }

  private static func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let wrote = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if wrote >= 0 {
        done += wrote
      } else if errno != EINTR {
        throw failure(path, "cannot be written")
      }
    }
  }

  /// Makes the new name durable; best effort, because some file systems refuse it.
  private static func flushFolder(of target: String) {
    let descriptor = open(folder(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func failure(_ path: String, _ what: String) -> TensorFileError {
    TensorFileError(path: path, what: "\(what): \(systemMessage(errno))")
  }
}
