internal import ClusterEvaluation
internal import FaceClustering
internal import Vectors

/// What other photo managers do, over the same faces.
struct Baselines {
  let vectors: Matrix<Float>
  let truth: [Int]
  /// Where thresholds are looked for: cosine distances.
  let thresholds: [Double]

  private struct Method {
    var name: String
    /// What its users set, or its authors: Immich's 0.5 with 3 faces, dlib's whispers, and so on.
    var usual: [Double]
    var run: (CosineDistance) throws -> [Int]
  }

  private var methods: [Method] {
    [
      Method(name: "dbscan", usual: [0.5]) {
        try densityBaseline(vectors, radius: $0, minFaces: 3)
      },
      Method(name: "chinese_whispers", usual: [0.5, 0.55]) {
        try chineseWhispers(vectors, threshold: $0)
      },
      Method(name: "average_linkage", usual: [0.6, 0.7]) {
        try averageLinkage(vectors, threshold: $0)
      },
    ]
  }

  /// Thresholds that are 1.5, 2, … 6 impostor units, or 0.3…0.8 where nothing is calibrated.
  static func thresholds(_ calibration: CalibrationReport?) -> [Double] {
    guard let calibration else {
      return stride(from: 0.3, through: 0.8, by: 0.05).map { $0 }
    }
    return stride(from: 6.0, through: 1.5, by: -0.5).map {
      min(max(1 - calibration.similarity(units: $0), 0.001), 2)
    }
  }

  /// Each method at its usual thresholds, and at the one that is best for these faces.
  func scores(_ progress: ((String, Double) -> Void)?) throws -> [MethodScores] {
    var result: [MethodScores] = []
    for (index, method) in methods.enumerated() {
      progress?("baseline \(method.name)", Double(index) / Double(methods.count))
      var best: MethodScores?
      do {
        for threshold in method.usual {
          result.append(
            try MethodScores(
              method.name, threshold: threshold, labels: try method.run(CosineDistance(threshold)),
              truth: truth))
        }
        for threshold in thresholds {
          let scores = try MethodScores(
            method.name, threshold: threshold, isBest: true,
            labels: try method.run(CosineDistance(threshold)), truth: truth)
          if scores.quality > best?.quality ?? -1 { best = scores }
        }
      } catch let error as EvaluationError {
        result.append(
          MethodScores(method.name, threshold: method.usual[0], skipped: error.description))
      }
      if let best { result.append(best) }
    }
    return result
  }
}
