internal import FaceClustering
internal import HDBSCAN

/// What `fit` and `extract` report.
struct ClusteringReport: Encodable {
  let n: Int
  /// Numbers in a row; null for `extract`, which sees no rows.
  @OrNull var d: Int?
  let clusters: Int
  let noise: Int
  let metric: String
  @OrNull var lambdaDistance: String?
  let quarantined: [InputRows.Quarantined]
  /// Pairs of --must-link and --cannot-link.
  @OrNull var constraints: Steering.Satisfaction?
  @OrNull var validity: ValidityReport?
  let seconds: [String: Double]
  let peakMemoryBytes: Int
  let out: String

  /// Counts a result.
  ///
  /// - Parameter dimensions: numbers in a row, where the command has seen the rows.
  init(
    _ clustering: Clustering, dimensions: Int?, quarantined: [InputRows.Quarantined],
    constraints: Steering.Satisfaction? = nil, validity: ValidityReport? = nil,
    seconds: [String: Double], out: String
  ) {
    n = clustering.labels.count
    d = dimensions
    clusters = clustering.selection.nodes.count
    noise = clustering.labels.count { $0 < 0 }
    metric = clustering.parameters.metric.rawValue
    lambdaDistance = clustering.parameters.metadata["lambda_distance"]
    self.quarantined = quarantined
    self.constraints = constraints
    self.validity = validity
    self.seconds = seconds
    peakMemoryBytes = Int(Memory.peakBytes)
    self.out = out
  }

  /// The same for people.
  var text: String {
    var lines = [
      "\(Formatting.count(clusters)) cluster\(clusters == 1 ? "" : "s"), "
        + "\(Formatting.count(noise)) of \(Formatting.count(n)) rows are noise"
    ]
    lines += quarantineLines(quarantined)
    if let constraints {
      lines.append("\(constraints.satisfied) of \(constraints.given) pairs are satisfied")
    }
    if let validity { lines.append(validity.text) }
    let total = seconds["total"] ?? 0
    lines.append(
      "\(Formatting.seconds(total)), \(Formatting.bytes(peakMemoryBytes)) → \(out)")
    return lines.joined(separator: "\n")
  }
}

/// The rows that were left out, ten of them by number.
func quarantineLines(_ rows: [InputRows.Quarantined]) -> [String] {
  guard !rows.isEmpty else { return [] }
  let first = rows.prefix(10).map { "\($0.row) (\($0.reason))" }.joined(separator: ", ")
  return ["left out: \(first)\(rows.count > 10 ? ", … \(rows.count) in all" : "")"]
}
