import FaceClustering
import Foundation
import Testing

@testable import PhotodbCommands

/// Whatever bytes a reader gets, it reads them or refuses them in one line: it neither crashes, nor reads
/// beyond a buffer, nor takes memory without bound.
///
/// Some ten thousand inputs here; `scripts/fuzz` goes on for minutes, and measures the memory too.
@Suite("readers of hostile bytes", .timeLimit(.minutes(600)))
struct FuzzTests {
  private static let minutes = ProcessInfo.processInfo.environment["PHOTODB_FUZZ_MINUTES"]
    .flatMap(Double.init)

  /// Bytes that the process may take in all, where nothing else runs in it.
  private static let memoryLimit = 1 << 29

  @Test(arguments: [1, 2] as [UInt64])
  func damagedFilesAreReadOrRefused(seed: UInt64) async throws {
    let parsers = try FuzzParser.all()
    try await Self.inMemory { folder in
      // What is damaged must have been good.
      for parser in parsers {
        for file in parser.corpus {
          #expect(throws: Never.self, "\(parser.name)") { try parser.read(file, folder) }
        }
      }
      var mutator = Mutator(seed: Self.minutes == nil ? seed : .random(in: 0 ... .max))
      let end = ContinuousClock.now + .seconds((Self.minutes ?? 0) * 60)
      var refused = [Int](repeating: 0, count: parsers.count)
      var seconds = [Double](repeating: 0, count: parsers.count)
      var rounds = 0
      while Self.minutes == nil ? rounds < 12 : ContinuousClock.now < end {
        rounds += 1
        for (index, parser) in parsers.enumerated() {
          let start = ContinuousClock.now
          for _ in 0..<100 {
            if try !reads(parser, folder, &mutator) { refused[index] += 1 }
          }
          seconds[index] += (ContinuousClock.now - start) / .seconds(1)
        }
      }
      for (index, parser) in parsers.enumerated() {
        // Some damage must be found: silence would mean that nothing is checked.
        #expect(refused[index] > 5 * rounds, "\(parser.name)")
      }
      if Self.minutes != nil {
        print("\(rounds * 100 * parsers.count) inputs, \(rounds * 100) of each format")
        for (index, parser) in parsers.enumerated() {
          let time = Int(seconds[index] * 10_000 / Double(rounds))
          print("  \(parser.name): \(refused[index]) refused, \(time) µs each")
        }
        #expect(Memory.peakBytes < Self.memoryLimit)
      }
    }
  }

  /// Calls `body` with a folder in a file system of memory, where there is one.
  private static func inMemory(_ body: (String) async throws -> Void) async throws {
    guard FileManager.default.fileExists(atPath: "/dev/shm") else {
      try await ClusteringFiles.withFolder(body)
      return
    }
    let folder = "/dev/shm/photodb-fuzz-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(folder)) } catch { outcome = .failure(error) }
    try FileManager.default.removeItem(atPath: folder)
    try outcome.get()
  }

  /// Whether a reader accepts a damaged file.
  private func reads(
    _ parser: FuzzParser, _ folder: String, _ mutator: inout Mutator
  ) throws -> Bool {
    let good = parser.corpus.randomElement(using: &mutator) ?? []
    var bytes = mutator.mutate(good, other: parser.corpus.randomElement(using: &mutator) ?? [])
    if let forge = parser.forge, Int.random(in: 0..<4, using: &mutator) > 0 {
      bytes = forge(bytes)
    }
    do {
      try parser.read(bytes, folder)
      return true
    } catch let finding as FuzzFinding {
      Issue.record("\(parser.name): \(finding.what)")
    } catch {
      let text = String(describing: error)
      if text.contains(where: \.isNewline) {
        Issue.record("\(parser.name): \(text)")
      }
    }
    return false
  }
}
