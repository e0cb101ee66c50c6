import FaceClustering
import PostgresClient
import Store
import Synchronization

/// Imports a face, assigns it, and does what people do, one after the other, and notes how long each took.
final class Prober: Sendable {
  let stage: FaceClustering
  let pool: PostgresPool
  /// Faces that nobody imported yet.
  let spare: Range<Int>
  let file: @Sendable (Range<Int>) -> FaceFile
  private let isStopped = Atomic(false)

  init(
    stage: FaceClustering, pool: PostgresPool, spare: Range<Int>,
    file: @escaping @Sendable (Range<Int>) -> FaceFile
  ) {
    self.stage = stage
    self.pool = pool
    self.spare = spare
    self.file = file
  }

  /// Lets ``run()`` end after the round that it is in: whoever waits at the end waits longest.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Works until it is stopped.
  ///
  /// - Returns: seconds of every step, by its name.
  func run() async throws -> [(name: String, seconds: [Double])] {
    var importing: [Double] = []
    var assigning: [Double] = []
    var acting: [Double] = []
    for face in spare {
      if isStopped.load(ordering: .relaxed) { break }
      importing.append(
        try await time { _ = try await stage.importFaces(file(face..<face + 1)) })
      assigning.append(try await time { _ = try await stage.assign() })
      acting.append(
        try await time {
          _ = try await stage.assign(
            externalIDs: ["face-\(face)"], to: .newPerson(name: nil))
        })
    }
    return [("import", importing), ("assign", assigning), ("assignment by hand", acting)]
  }
}
