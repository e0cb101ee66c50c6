internal import Glibc
internal import HDBSCAN
internal import PostgresClient
internal import Store
internal import Vectors

/// What the model says about faces that are not claimed yet, computed while a batch before them is written.
///
/// A prediction follows from the vector and the model alone; who claims the faces later uses those whose
/// vector and model are still the same, and no decision depends on it.
struct Foresight: Sendable {
  private let runID: Int64
  private let server: ServerIdentity
  private let rowOfFace: [Int64: Int]
  private let embeddings: Matrix<Float>
  private let predictions: [Prediction]

  /// Looks at the new faces above an id, and locks none.
  ///
  /// - Returns: nil where there are none, or no model.
  static func look(
    after id: Int64, for assigner: Assigner, _ pool: PostgresPool
  ) async throws -> Foresight? {
    let (faces, model) = try await pool.withTransaction { connection in
      (
        try FaceReader(assigner.collection).new(
          limit: assigner.batchSize, after: id, on: connection),
        try assigner.models.active(
          of: assigner.collection, settings: assigner.settings, on: connection
        ).loaded
      )
    }
    guard let model, faces.count > 0 else { return nil }
    return try await offCooperativePool { isCancelled in
      let unusable = UnusableEmbeddings.reasons(in: faces.embeddings)
      let rows = faces.ids.indices.filter { unusable[$0] == nil }
      if rows.isEmpty || isCancelled() { return nil }
      let usable = unusable.isEmpty ? faces.embeddings : faces.embeddings.selecting(rows: rows)
      return Foresight(
        runID: model.runID, server: model.server,
        rowOfFace: Dictionary(
          uniqueKeysWithValues: rows.enumerated().map { (faces.ids[$1], $0) }),
        embeddings: usable,
        predictions: try predictions(
          usable, model: model.model, threads: assigner.threads, isCancelled: isCancelled))
    }
  }

  /// A part at a time: who was asked to stop does not wait for all of them.
  private static func predictions(
    _ faces: Matrix<Float>, model: PredictionModel, threads: Int, isCancelled: () -> Bool
  ) throws -> [Prediction] {
    var all: [Prediction] = []
    for start in stride(from: 0, to: faces.rows, by: part) {
      if isCancelled() { throw CancellationError() }
      let rows = Array(start..<min(start + part, faces.rows))
      all += try model.predict(.float32(faces.selecting(rows: rows)), threads: threads)
    }
    return all
  }

  private static let part = 2_000

  /// Whether it is what this model would say.
  func isBy(_ model: LoadedModel) -> Bool { runID == model.runID && server == model.server }

  /// What is known of a face with this vector.
  func prediction(_ id: Int64, _ vector: UnsafePointer<Float>) -> Prediction? {
    guard let row = rowOfFace[id],
      memcmp(embeddings.row(row), vector, 4 * embeddings.columns) == 0
    else { return nil }
    return predictions[row]
  }
}

extension LoadedModel {
  /// Predictions for faces, of which some may be known.
  ///
  /// - Returns: one a row, and how many of them were known.
  func predictions(
    for faces: Matrix<Float>, ids: [Int64], foreseen: Foresight?, threads: Int
  ) throws -> (all: [Prediction], known: Int) {
    guard let foreseen, foreseen.isBy(self) else {
      return (try model.predict(.float32(faces), threads: threads), 0)
    }
    var all = ids.indices.map { foreseen.prediction(ids[$0], faces.row($0)) }
    let rest = all.indices.filter { all[$0] == nil }
    if !rest.isEmpty {
      let fresh = try model.predict(.float32(faces.selecting(rows: rest)), threads: threads)
      for (row, prediction) in zip(rest, fresh) { all[row] = prediction }
    }
    return (all.compactMap { $0 }, all.count - rest.count)
  }
}
