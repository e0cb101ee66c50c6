internal import PostgresClient
internal import Store
internal import Synchronization
internal import Vectors

/// A face that was set aside because its stored embedding cannot be used.
public struct InvalidFace: Sendable, Codable, Equatable {
  /// Id that the detection stage gave.
  public var externalID: String
  /// What is wrong with the embedding, in one line.
  public var reason: String

  /// A face and what is wrong with it.
  public init(externalID: String, reason: String) {
    self.externalID = externalID
    self.reason = reason
  }

  enum CodingKeys: String, CodingKey {
    case externalID = "external_id"
    case reason
  }

  /// How many of them a report names; it counts all.
  public static let mostNamed = 100

  /// The first few in one line.
  static func line(_ faces: [InvalidFace], of count: Int) -> String {
    let named = faces.prefix(5).map { "\($0.externalID) (\($0.reason))" }
    return named.joined(separator: ", ") + (count > named.count ? ", …" : "")
  }
}

/// Finds stored embeddings that are no unit vectors, whoever wrote them.
enum UnusableEmbeddings {
  /// Why rows cannot be used, by row.
  ///
  /// - Complexity: O(n · d).
  static func reasons(in vectors: Matrix<Float>) -> [Int: String] {
    let unusable = Mutex<[Int]>([])
    parallelForChunks(vectors.rows, chunk: 4_096, threads: availableThreads) { rows in
      let found = rows.filter { !isUsable(vectors.row($0), count: vectors.columns) }
      if !found.isEmpty { unusable.withLock { $0 += found } }
    }
    var reasons = unusable.withLock { rows in
      Dictionary(uniqueKeysWithValues: rows.map { ($0, "the embedding is not of unit length") })
    }
    if reasons.isEmpty { return reasons }
    for defect in vectors.defectiveRows() {
      reasons[defect.row] =
        defect.defect == .zero
        ? "the embedding is all zero"
        : vectors.values(ofRow: defect.row).allSatisfy(\.isNaN)
          ? "the embedding has another length than the collection's, or is all NaN"
          : "the embedding is not finite"
    }
    return reasons
  }

  /// Whether a vector is finite and of unit length but for rounding.
  static func isUsable(_ vector: UnsafePointer<Float>, count: Int) -> Bool {
    var squares = 0.0
    for column in 0..<count { squares += Double(vector[column]) * Double(vector[column]) }
    return abs(squares - 1) <= normTolerance
  }

  /// How far the square of a length may be from 1.
  static let normTolerance = 0.01
}

extension DetectionRepository {
  /// Marks faces as invalid and names the first of them.
  func setAside(
    _ faces: [(id: Int64, reason: String)], runID: Int64?,
    on connection: isolated PostgresConnection
  ) throws -> [InvalidFace] {
    try markInvalid(
      Dictionary(uniqueKeysWithValues: faces.map { ($0.id, $0.reason) }), runID: runID,
      on: connection)
    return try name(faces, on: connection)
  }

  /// The first of these faces by their external ids.
  func name(
    _ faces: [(id: Int64, reason: String)], on connection: isolated PostgresConnection
  ) throws -> [InvalidFace] {
    let first = faces.sorted { $0.id < $1.id }.prefix(InvalidFace.mostNamed)
    let names = try externalIDs(of: first.map(\.id), on: connection)
    return first.compactMap { face in
      names[face.id].map { InvalidFace(externalID: $0, reason: face.reason) }
    }
  }
}
