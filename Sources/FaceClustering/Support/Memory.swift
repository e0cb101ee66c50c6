internal import Glibc

/// What this process has used and what the machine still has.
public enum Memory {
  /// Largest resident size of this program so far, in bytes.
  ///
  /// Not that of `getrusage` where the system tells a better one: there the size counts, too, that the
  /// process had as the program that started this one.
  public static var peakBytes: Int64 {
    let peak = text("/proc/self/status")?.split(separator: "\n")
      .first { $0.hasPrefix("VmHWM:") }
      .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) } }
    if let peak { return peak * 1024 }
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return Int64(usage.ru_maxrss) * 1024
  }

  /// Memory that can be taken without swapping, in bytes; nil where the system does not tell.
  ///
  /// The smaller of `MemAvailable` and what is left under a control group's limit.
  static var availableBytes: Int64? {
    let system = text("/proc/meminfo")?.split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
      .flatMap { $0.split(separator: " ").dropFirst().first.flatMap { Int64($0) } }
      .map { $0 * 1024 }
    guard let limit = text("/sys/fs/cgroup/memory.max").flatMap({ Int64($0.trimmed) }),
      let used = text("/sys/fs/cgroup/memory.current").flatMap({ Int64($0.trimmed) })
    else { return system }
    return min(system ?? .max, max(limit - used, 0))
  }

  private static func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}

extension String {
  fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}
