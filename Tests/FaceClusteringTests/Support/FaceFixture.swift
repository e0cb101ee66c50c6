import FaceClustering
import Foundation
import Store
import TensorFiles
import Vectors

/// Real faces of 36 people with twelve faces each, and 140 strangers with one.
struct FaceFixture: Sendable {
  let embeddings: Matrix<Float>
  let identities: [Int]
  /// Rows of each person with several faces, in order of first appearance.
  let people: [[Int]]
  /// Rows of faces that stand alone.
  let strangers: [Int]

  static let shared = Result { try FaceFixture() }

  static func load() throws -> FaceFixture { try shared.get() }

  static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/stage-faces.safetensors").standardized.path

  private init() throws {
    let file = try SafetensorsFile(path: Self.path)
    embeddings = try file.matrix("embeddings").singlePrecision
    identities = try file.integers("identity")
    let rows = Dictionary(grouping: identities.indices) { [identities] in identities[$0] }
    people = rows.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    strangers = rows.values.filter { $0.count == 1 }.map { $0[0] }.sorted()
  }

  /// A file of some rows; the external id of row r is `face-r`, its photo `photo-r`.
  func file(_ rows: [Int]) -> FaceFile {
    FaceFile(
      faces: rows.map { IncomingFace(externalID: "face-\($0)", photo: "photo-\($0)") },
      rows: Array(rows.indices), embeddings: embeddings.selecting(rows: rows))
  }

  /// The same with similarities s as share + (1 − share) · s, as under a model whose vectors share a component;
  /// 129 columns.
  func file(_ rows: [Int], share: Float) -> FaceFile {
    var file = file(rows)
    let source = file.embeddings
    file.embeddings = Matrix<Float>(rows: rows.count, columns: 129) { base, stride in
      for row in 0..<rows.count {
        for column in 0..<128 {
          base[row * stride + column] = (1 - share).squareRoot() * source.row(row)[column]
        }
        base[row * stride + 128] = share.squareRoot()
      }
    }
    return file
  }
}

/// Unit vectors on a circle, where every cosine distance is known: 1 − cos of the angle between.
enum Circle {
  /// Four coordinates, so that there is room beside the circle.
  static let dimension = 4

  static func vector(_ degrees: Double) -> [Float] {
    let angle = degrees * .pi / 180
    return [Float(cos(angle)), Float(sin(angle)), 0, 0]
  }

  /// Faces at these angles, each in a photo of its own; ids are the prefix and a number from 0.
  static func file(_ degrees: [Double], prefix: String = "face") -> FaceFile {
    FaceFile(
      faces: degrees.indices.map {
        IncomingFace(externalID: "\(prefix)-\($0)", photo: "\(prefix)-photo-\($0)")
      }, rows: Array(degrees.indices), embeddings: Matrix(degrees.map(vector)))
  }

  /// Angles of one person: `count` faces, half a degree apart, around a middle.
  static func person(at middle: Double, count: Int = 6) -> [Double] {
    (0..<count).map { middle + 0.5 * (Double($0) - Double(count - 1) / 2) }
  }
}
