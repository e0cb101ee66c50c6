public import HDBSCAN
internal import PersonGrouping
internal import PostgresClient
public import Store
internal import Synchronization

/// How similarity was calibrated by a run, for people.
///
/// Similarities are cosines. An impostor unit is the standard deviation of the similarity of
/// different people.
public struct CalibrationReport: Sendable, Codable, Equatable {
  /// Mean similarity of different people, and its standard deviation.
  public var impostorMean: Double
  /// Standard deviation of that similarity: one impostor unit.
  public var impostorDeviation: Double
  /// How far the mean similarity within people lies above, in impostor units.
  public var separation: Double
  /// Effective number of people: the exponential of the entropy of faces over people.
  public var effectivePeople: Double
  /// Similarity from which two large groups are one person.
  public var thresholdSimilarity: Double
  /// The same in impostor units.
  public var threshold: Double
  /// Similarity that two single faces need.
  public var singleFaceSimilarity: Double
  /// Mean similarity that a new face needs to a large group.
  public var assignmentSimilarity: Double
  /// Pairs of faces behind mean and deviation; 0 where they are a prior.
  public var impostorPairs: Int
  /// How far what people said moved the threshold, in impostor units.
  public var humanShift: Double

  init(_ calibration: SimilarityCalibration) {
    impostorMean = calibration.impostorMean
    impostorDeviation = calibration.impostorDeviation
    separation = calibration.separation
    effectivePeople = calibration.effectivePeople
    thresholdSimilarity = calibration.thresholdSimilarity
    threshold = calibration.threshold
    singleFaceSimilarity = calibration.similarity(
      calibration.threshold + SimilarityCalibration.penalty(weight: 1))
    let arriving = calibration.forArrivals
    assignmentSimilarity = arriving.similarity(arriving.assignmentGate)
    impostorPairs = calibration.impostorPairs
    humanShift = calibration.humanShift
  }

  /// How a run calibrated similarity; nil where it did not.
  ///
  /// - Throws: `DecodingError` where what the run keeps of it is damaged.
  public init?(of run: RunRecord) throws {
    guard let text = run.calibrationJSON else { return nil }
    self.init(try JSONText.decode(SimilarityCalibration.self, from: text))
  }

  /// The similarity at a number of impostor units above the mean of different people.
  public func similarity(units: Double) -> Double { impostorMean + units * impostorDeviation }
}

extension FaceClustering {
  /// The calibration of the run in charge; nil where there is none.
  public func calibration() async throws -> CalibrationReport? {
    let collection = collection
    return try await pool.explainedTransaction { connection in
      guard
        let text = try RunRepository(collection).activeCalibrationJSON(on: connection)
      else { return nil }
      return CalibrationReport(try JSONText.decode(SimilarityCalibration.self, from: text))
    }
  }

  /// The labels of the fit in charge, −1 for noise; nil where there is no run.
  public func fittedLabels() async throws -> [Int64: Int]? {
    let collection = collection
    return try await pool.explainedTransaction { connection in
      let runs = RunRepository(collection)
      guard let id = try runs.activeID(on: connection) else { return nil }
      let model = try StoredModel(bytes: try runs.state(of: id, on: connection).blob)
      return Dictionary(uniqueKeysWithValues: zip(model.detectionIDs, model.labels))
    }
  }

  /// The settings that the run in charge was made with; nil where there is none.
  public func settingsOfRun() async throws -> StageSettings? {
    let collection = collection
    return try await pool.explainedTransaction { connection in
      try RunRepository(collection).active(on: connection).map {
        try StageSettings(runParametersJSON: $0.parametersJSON)
      }
    }
  }
}

extension FaceClustering {
  /// The fit of the run in charge and its faces, from the stored tree: nothing is fitted again.
  ///
  /// - Parameter beside: faces that were grouped beside the fit.
  /// - Returns: the faces of the fit and after them those beside it that are usable, when the photo of each was taken
  ///   (seconds since 1970, where that is known), and the fit; nil where there is no run, a face of it is gone, or an
  ///   older program wrote its model.
  public func storedFit(beside: Set<Int64> = []) async throws -> (
    faces: FaceSnapshot, times: [Double?], clustering: Clustering
  )? {
    let collection = collection
    return try await pool.explainedTransaction(.snapshot) { connection in
      let runs = RunRepository(collection)
      guard let id = try runs.activeID(on: connection) else { return nil }
      let model = try StoredModel(bytes: try runs.state(of: id, on: connection).blob)
      guard model.detectionIDs.count < 2 || !model.spanningTree.isEmpty else { return nil }
      let stored = try model.faces(of: collection, on: connection)
      guard stored.missing == 0 else { return nil }
      let others = stored.faces.all.ids.indices.dropFirst(stored.faces.fittedCount)
      let faces = stored.faces.leavingOut(
        rows: Set(others.filter { !beside.contains(stored.faces.all.ids[$0]) })
      ).all
      return (
        faces, try FaceReader(collection).times(of: faces, on: connection), try model.clustering()
      )
    }
  }

  /// The person of every face that has one, by detection id.
  public func personOfFace() async throws -> [Int64: Int64] {
    let rows = Mutex<[Int64: Int64]>([:])
    try await exportAssignments { row in
      rows.withLock { $0[row.detectionID] = row.personID }
    }
    return rows.withLock { $0 }
  }
}
