internal import ClusterEvaluation
internal import FaceClustering
internal import Vectors

/// What other photo managers do, over the same faces.
struct Baselines {
  /// n × d unit vectors.
  let vectors: Matrix<Float>
  /// Identity of each of them, −1 where it is unknown.
  let truth: [Int]
  /// Identities of faces without a vector: each is on its own for every method.
  var bare: [Int] = []
  /// Where thresholds are looked for: cosine distances, every fourth of them a coarser grid.
  let thresholds: [Double]
  /// Bytes that pairs of faces may take, which make a further threshold cheap.
  var pairMemory = 1 << 29

  private struct Method {
    var name: String
    /// What its users set, or its authors: Immich's 0.5 with 3 faces, dlib's whispers, and so on.
    var usual: [Double]
    var prepare: () throws -> Prepared
  }

  /// A method that is ready for one threshold after the other.
  private struct Prepared {
    /// Whether a further threshold costs little beside the first.
    var isCheap: Bool
    var labels: (CosineDistance) throws -> [Int]
  }

  /// Thresholds 1.5…6 impostor units in eighths, or 0.3…0.8 in eightieths where nothing is calibrated.
  static func thresholds(_ calibration: CalibrationReport?) -> [Double] {
    guard let calibration else { return (0...40).map { 0.3 + Double($0) / 80 } }
    return (0...36).map {
      min(max(1 - calibration.similarity(units: 6 - Double($0) / 8), 0.001), 2)
    }
  }

  /// Each method at its usual thresholds, and at the one of all, the usual among them, that is best for these
  /// faces by the mean of both F.
  func scores(_ progress: ((String, Double) -> Void)?) throws -> [MethodScores] {
    progress?("baselines", 0)
    let widest = thresholds.max() ?? 0
    // One comparison of all faces for two methods.
    let pairs: Result<ComparedPairs, any Error> = Result {
      try ComparedPairs(vectors, within: CosineDistance(widest), memoryLimit: pairMemory)
    }
    let methods = methods(pairs, widest: widest)
    var result: [MethodScores] = []
    for (index, method) in methods.enumerated() {
      progress?("baseline \(method.name)", Double(index) / Double(methods.count))
      try append(method, to: &result)
    }
    return result
  }

  private func methods(_ pairs: Result<ComparedPairs, any Error>, widest: Double) -> [Method] {
    [
      Method(name: "dbscan", usual: [0.5]) {
        let pairs = try pairs.get()
        return Prepared(isCheap: pairs.areKept) {
          try densityBaseline(pairs, radius: $0, minFaces: 3)
        }
      },
      Method(name: "chinese_whispers", usual: [0.5, 0.55]) {
        let pairs = try pairs.get()
        return Prepared(isCheap: pairs.areKept) { try chineseWhispers(pairs, threshold: $0) }
      },
      Method(name: "average_linkage", usual: [0.6, 0.7]) {
        let tree = try AverageLinkageTree(vectors, upTo: CosineDistance(max(widest, 0.7)))
        return Prepared(isCheap: true) { tree.labels(within: $0) }
      },
    ]
  }

  /// What was found before a method failed stays, and why it failed stands beside it.
  private func append(_ method: Method, to result: inout [MethodScores]) throws {
    var best: MethodScores?
    do {
      let prepared = try method.prepare()
      for threshold in method.usual {
        let scores = try scores(of: method, prepared, at: threshold)
        if scores.quality > best?.quality ?? -1 { best = scores }
        result.append(scores)
      }
      try search(method, prepared, &best)
    } catch let error as EvaluationError {
      result.append(
        MethodScores(method.name, threshold: method.usual[0], skipped: error.description))
    }
    if let best { result.append(best.asBest) }
  }

  /// Tries all thresholds where that is cheap; else the coarser grid, and those around the best of it.
  private func search(
    _ method: Method, _ prepared: Prepared, _ best: inout MethodScores?
  ) throws {
    let step = prepared.isCheap ? 1 : 4
    var middle = 0
    var most = -1.0
    for index in stride(from: 0, to: thresholds.count, by: step) {
      let scores = try scores(of: method, prepared, at: thresholds[index])
      if scores.quality > best?.quality ?? -1 { best = scores }
      if scores.quality > most { (middle, most) = (index, scores.quality) }
    }
    let around = max(middle - step + 1, 0)..<min(middle + step, thresholds.count)
    for index in around where index % step != 0 {
      let scores = try scores(of: method, prepared, at: thresholds[index])
      if scores.quality > best?.quality ?? -1 { best = scores }
    }
  }

  private func scores(
    of method: Method, _ prepared: Prepared, at threshold: Double
  ) throws -> MethodScores {
    let labels = try prepared.labels(CosineDistance(threshold))
    return try MethodScores(
      method.name, threshold: threshold, labels: labels + bare.map { _ in -1 },
      truth: truth + bare)
  }
}
