internal import ArgumentParser
internal import FaceClustering
internal import HDBSCAN
internal import TensorFiles

/// `photodb hdbscan predict RESULT FILE --out PREDICTIONS`.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Finds the clusters of new rows, without changing any.",
    discussion: """
      A new row goes to the fitted row of least mutual reachability, and from there up the tree \
      to the first cluster dense enough for it. A row that equals a fitted one gets its label.

      Example: photodb hdbscan predict result.safetensors new.npy --out placed.safetensors
      """)

  @Argument(help: "A file that photodb hdbscan fit has written, with its vectors.")
  var result: String

  @Argument(help: "New vectors: .npy, .npz, .safetensors (tensor embeddings) or .csv.")
  var file: String

  @OptionGroup var destination: ResultDestination
  @Flag(
    name: .long,
    help: """
      Store how strongly each row belongs to each cluster, too: the tensor memberships, \
      rows × labels, each row with a sum of at most 1.
      """)
  var memberships = false

  @OptionGroup(title: "Rows") var input: InputOptions
  @OptionGroup(title: "Work") var threads: ThreadOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    try destination.check()
    var seconds = PhaseSeconds()
    let (model, clustering) = try await seconds.measure("load") {
      try await offPool { [result] in try Self.loadModel(result) }
    }
    let parameters = clustering.parameters
    let rows = try await seconds.measure("read") {
      try await offPool { [file, input] in
        try InputRows(path: file, metric: parameters.metric, quarantine: input.quarantine)
      }
    }
    let predictions = try await seconds.measure("predict") {
      let bar = output.progressBar()
      defer { bar.finish() }
      return try await offPool { [file, threads] in
        try naming(file, rows: rows) {
          try Self.predict(rows.points, model, threads: threads.count, bar: bar)
        }
      }
    }
    var content = content(of: predictions, rows: rows, parameters: parameters)
    if memberships {
      content.tensors["memberships"] = try await seconds.measure("memberships") {
        try await offPool { [file, threads] in
          try naming(file, rows: rows) {
            Tensor(
              try model.memberships(
                of: rows.points, exemplars: clustering.exemplars, threads: threads.count))
          }
        }
      }
    }
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [content, destination] in
        try content.write(to: destination.out)
      }
    }
    let report = Report(
      n: predictions.count, d: rows.dimensions,
      clusters: Set(predictions.map(\.label)).subtracting([-1]).count,
      noise: predictions.count { $0.label < 0 }, quarantined: rows.quarantined,
      seconds: seconds.all, peakMemoryBytes: Int(Memory.peakBytes), out: destination.out)
    try output.output.report(report) { report.text }
  }

  private static func loadModel(_ path: String) throws -> (PredictionModel, Clustering) {
    let stored = try StoredClustering(path: path)
    guard let vectors = stored.vectors else {
      let isPrecomputed = stored.clustering.parameters.metric == .precomputed
      throw TensorFileError(
        path: path, what: "holds no vectors to compare new rows with",
        advice: isPrecomputed
          ? "fit vectors instead of a matrix of distances" : "fit again without --without-vectors")
    }
    let model = try naming(path) {
      try PredictionModel(points: vectors, clustering: stored.clustering)
    }
    return (model, stored.clustering)
  }

  /// Predicts block by block, so that progress can be shown; blocks do not change the result.
  private static func predict(
    _ points: Points, _ model: PredictionModel, threads: Int, bar: ProgressBar
  ) throws -> [Prediction] {
    let block = 16_384
    guard points.count > block else { return try model.predict(points, threads: threads) }
    var predictions: [Prediction] = []
    predictions.reserveCapacity(points.count)
    for start in stride(from: 0, to: points.count, by: block) {
      bar.update(phase: "predict", completed: start, total: points.count, unit: "rows")
      let part = points.selecting(Array(start..<min(start + block, points.count)))
      predictions += try model.predict(part, threads: threads)
    }
    return predictions
  }

  private func content(
    of predictions: [Prediction], rows: InputRows, parameters: Parameters
  ) -> SafetensorsContent {
    var content = SafetensorsContent(
      tensors: [
        "labels": Tensor(predictions.map(\.label)),
        "probabilities": Tensor(predictions.map(\.probability)),
        "outlier_scores": Tensor(predictions.map(\.outlierScore)),
        "raw_outlier_scores": Tensor(predictions.map(\.rawOutlierScore)),
        "lambdas": Tensor(predictions.map(\.lambda)),
        "neighbours": Tensor(predictions.map(\.neighbour)),
      ], metadata: parameters.metadata)
    if let fileRows = rows.fileRows { content.tensors["rows"] = Tensor(fileRows) }
    content.metadata["format"] = StoredClustering.format
    content.metadata["format_version"] = String(StoredClustering.formatVersion)
    content.metadata["kind"] = "prediction"
    content.metadata["photodb_version"] = photodbVersion
    return content
  }
}

extension PredictCommand {
  /// What `predict` reports.
  struct Report: Encodable {
    let n: Int
    let d: Int
    let clusters: Int
    let noise: Int
    let quarantined: [InputRows.Quarantined]
    let seconds: [String: Double]
    let peakMemoryBytes: Int
    let out: String

    /// The same for people.
    var text: String {
      let lines =
        [
          "\(Formatting.count(n - noise)) of \(Formatting.count(n)) rows belong to "
            + "\(Formatting.count(clusters)) cluster\(clusters == 1 ? "" : "s"), "
            + "\(Formatting.count(noise)) are noise"
        ] + quarantineLines(quarantined) + [
          "\(Formatting.seconds(seconds["total"] ?? 0)), \(Formatting.bytes(peakMemoryBytes)) → \(out)"
        ]
      return lines.joined(separator: "\n")
    }
  }
}
