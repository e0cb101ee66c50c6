import BenchmarkDatabase
import FaceClustering
import Foundation
import PostgresClient
import Store
import SyntheticFaces
import Vectors

/// What the stage promises about time, measured once through on one collection: `StageSpeed 100000x512`.
///
/// Prints a table in Markdown. A tool of benchmarks cannot tell this: most of it is about what happens
/// beside a bootstrap, and making the collection takes far longer than what is measured.
@main
struct StageSpeed: Sendable {
  let stage: FaceClustering
  let database: BenchmarkDatabase
  let vectors: Matrix<Float>
  /// Faces of the first fit; those after them arrive later.
  let count: Int

  static func main() async throws {
    let parts = (CommandLine.arguments.dropFirst().first ?? "100000x512").split(separator: "x")
      .compactMap { Int($0) }
    guard parts.count == 2, parts[0] >= 1_000, parts[1] >= 16 else {
      FileHandle.standardError.write(
        Data("StageSpeed: the size is faces x columns, such as 100000x512\n".utf8))
      exit(2)
    }
    let (count, columns) = (parts[0], parts[1])
    let vectors = SyntheticFaces(
      count: count + batch + arrivals + 2 * singles + spare, dimensions: columns
    )
    .embeddings
    try await BenchmarkDatabase.with { database in
      try await StageSpeed(
        stage: database.newCollection("speed", dimension: columns), database: database,
        vectors: vectors, count: count
      ).run()
    }
  }

  /// Faces that arrive in batches, those that arrive one by one, and those that arrive beside a
  /// bootstrap.
  static let (batch, arrivals, singles, spare) = (5_000, 20_000, 300, 20_000)

  private func run() async throws {
    say("| what | time |\n| --- | --- |")
    let seconds = try await time { _ = try await stage.importFaces(file(0..<count)) }
    row("import of \(count) faces", seconds)
    let copy = CopyYardstick(pool: database.pool)
    try await bootstrap("first bootstrap", copy, [.faces, .events, .clusters, .run])

    var next = count
    _ = try await stage.importFaces(file(next..<next + Self.batch))
    next += Self.batch
    row(
      "assign of \(Self.batch) faces, the model not read yet",
      try await time { _ = try await stage.assign() })
    _ = try await stage.importFaces(file(next..<next + Self.arrivals))
    next += Self.arrivals
    let before = clock()
    let batches = try await time { _ = try await stage.assign() }
    let processor = Double(clock() - before) / Double(CLOCKS_PER_SEC)
    row("assign of \(Self.arrivals) faces in batches", batches)
    say("| … faces a second | \(Int(Double(Self.arrivals) / batches)) |")
    row("… processor time of this process", processor)

    var alone: [Double] = []
    var together: [Double] = []
    for face in next..<next + Self.singles {
      let arriving = try await time { _ = try await stage.importFaces(file(face..<face + 1)) }
      let assigning = try await time { _ = try await stage.assign() }
      alone.append(assigning)
      together.append(arriving + assigning)
    }
    next += Self.singles
    spread("assign of one face", alone)
    spread("import and assign of one face", together)
    var acting: [Double] = []
    for face in next - 30..<next {
      acting.append(
        try await time {
          _ = try await stage.assign(externalIDs: ["face-\(face)"], to: .newPerson(name: nil))
        })
    }
    spread("assignment by hand to a new person", acting)

    var checks: [Double] = []
    for _ in 0..<20 {
      checks.append(
        try await time {
          _ = try await stage.checkStaleness(now: Date().timeIntervalSince1970)
        })
    }
    spread("check of staleness", checks)
    let prober = Prober(stage: stage, pool: database.pool, spare: next..<vectors.rows, file: file)
    let probing = Task { try await prober.run() }
    let again: [CopyYardstick.Part] = [.faces, .events, .leftFaces, .leftClusters, .run]
    let waits = try await bootstrap("bootstrap again, with everybody at work", copy, again) {
      prober.stop()
      return try await probing.value
    }
    for (name, waits) in waits { spread("\(name) beside it", waits) }
    try await bootstrap("bootstrap a third time", copy, again)
  }

  /// One bootstrap, and how long COPY takes for the bytes that it read and wrote.
  @discardableResult private func bootstrap<Beside>(
    _ name: String, _ copy: CopyYardstick, _ parts: [CopyYardstick.Part],
    then: () async throws -> Beside = {}
  ) async throws -> Beside {
    let report = try await stage.bootstrap()
    let beside = try await then()
    let seconds = report.seconds
    row(name, seconds.total)
    for (phase, value) in [
      ("read", seconds.read), ("fit", seconds.fit), ("people", seconds.people),
      ("model", seconds.extract), ("match", seconds.match), ("write", seconds.write),
    ] { row("… \(phase)", value) }
    let outside = seconds.total - seconds.fit - seconds.people
    row("… outside fit and people", outside)
    let (out, into) = (try await copy.out(), try await copy.into(parts))
    row("… COPY out of the same vectors", out)
    row("… COPY in of the same rows", into.bare)
    row("… into tables with the checks, keys and indexes of the real ones", into.keyed)
    say("| … over COPY's time | \(decimal(outside / (out + into.bare))) |")
    say("| … over that with keys | \(decimal(outside / (out + into.keyed))) |")
    say(
      "| … clusters, noise, moved | \(report.clusterCount), \(report.noiseCount), \(report.moved) |"
    )
    return beside
  }

  @Sendable private func file(_ rows: Range<Int>) -> FaceFile {
    FaceFile(
      faces: rows.map { IncomingFace(externalID: "face-\($0)", photo: "photo-\($0 / 2)") },
      rows: Array(rows.indices.map { $0 - rows.lowerBound }),
      embeddings: vectors.selecting(rows: Array(rows)))
  }

  private func row(_ name: String, _ seconds: Double) {
    say("| \(name) | \(decimal(seconds)) s |")
  }

  private func spread(_ name: String, _ seconds: [Double]) {
    let sorted = seconds.sorted().map { $0 * 1000 }
    guard let longest = sorted.last else { return }
    say(
      """
      | \(name) (\(sorted.count)) | p50 \(decimal(sorted[sorted.count / 2])) ms, \
      p95 \(decimal(sorted[sorted.count * 95 / 100])) ms, longest \(decimal(longest)) ms |
      """)
  }

  private func decimal(_ value: Double) -> String { String(format: "%.3g", value) }
}

/// A line at once, so that what was measured is not lost with a process that is stopped.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// Seconds that something took.
func time(_ body: () async throws -> Void) async rethrows -> Double {
  let clock = ContinuousClock()
  return try await clock.measure { try await body() } / .seconds(1)
}
