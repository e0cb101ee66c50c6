import FaceClustering
import PostgresClient
import Store

/// Imports a face, assigns it, and does what people do, one after the other, and notes how long each took.
struct Prober: Sendable {
  let stage: FaceClustering
  let pool: PostgresPool
  /// Faces that nobody imported yet.
  let spare: Range<Int>
  let file: @Sendable (Range<Int>) -> FaceFile

  /// Works until its task is cancelled.
  ///
  /// - Returns: seconds of every step, by its name.
  func run() async throws -> [(name: String, seconds: [Double])] {
    var importing: [Double] = []
    var assigning: [Double] = []
    var acting: [Double] = []
    do {
      for face in spare {
        importing.append(
          try await time { _ = try await stage.importFaces(file(face..<face + 1)) })
        assigning.append(try await time { _ = try await stage.assign() })
        acting.append(
          try await time {
            _ = try await stage.assign(
              externalIDs: ["face-\(face)"], to: .newPerson(name: nil))
          })
      }
    } catch is CancellationError {
      // Asked to stop: the step that it was in does not count.
    }
    return [("import", importing), ("assign", assigning), ("assignment by hand", acting)]
  }
}
