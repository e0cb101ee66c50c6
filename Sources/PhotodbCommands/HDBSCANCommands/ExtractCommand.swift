internal import ArgumentParser
internal import HDBSCAN
internal import TensorFiles

/// `photodb hdbscan extract RESULT --out FILE`.
struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Takes other clusters from a stored result, with no second fit.",
    discussion: """
      With --cut D the clusters are those that DBSCAN* gives at distance D: rows connected by \
      edges shorter than D. With --inside L they are those inside cluster L of the result. \
      Otherwise the options that are given replace those of the fit; the new file is a result \
      like the first. What decides distances (--min-samples, --metric, --alpha) stays that of \
      the fit. Pairs steer this extraction alone: those of the fit are not kept.

      Example: photodb hdbscan extract result.safetensors --cut 0.9 --out labels.safetensors
      """)

  @Argument(help: "A file that photodb hdbscan fit has written.")
  var result: String

  @OptionGroup var destination: ResultDestination

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Cut the hierarchy at this distance, in the distance of the fit: with cosine, √(2c).",
      valueName: "D"))
  var cut: Double?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      """
      Split one cluster: write the labels of its points alone. The tensor points holds their \
      places in the result.
      """, valueName: "LABEL"))
  var inside: Int?

  @OptionGroup(title: "Clusters") var selection: SelectionOptions
  @OptionGroup(title: "Steering") var pairs: PairOptions

  @Flag(name: .long, help: "Do not carry the vectors over to the new file.")
  var withoutVectors = false

  @Flag(name: .long, help: "Store the single-linkage tree, too, as SciPy's linkage matrix.")
  var singleLinkage = false

  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func validate() throws {
    if let cut {
      if !(cut >= 0) { throw ValidationError("--cut must be a distance, at least 0.") }
      if selection.changesMoreThanSize || singleLinkage || !pairs.isEmpty || inside != nil {
        throw ValidationError("--cut goes with --min-cluster-size only.")
      }
    }
    if let inside, inside < 0 {
      throw ValidationError("--inside must be a label, at least 0.")
    }
    if inside != nil, selection.changesTree || singleLinkage || !pairs.isEmpty {
      throw ValidationError(
        "--inside goes with --cluster-selection-method, --cluster-selection-epsilon, "
          + "--cluster-selection-epsilon-max and --max-cluster-size only.")
    }
  }

  func run() async throws {
    try destination.check()
    var seconds = PhaseSeconds()
    var stored = try await seconds.measure("read") {
      try await offPool { [result] in try StoredClustering(path: result) }
    }
    if let cut {
      try await write(cut: cut, of: stored, seconds: seconds)
      return
    }
    if let inside {
      try await write(inside: inside, of: stored, seconds: seconds)
      return
    }
    let steering = Steering(
      weights: nil,
      constraints: try await offPool { [pairs, stored] in
        try Self.read(pairs, of: stored)
      })
    var parameters = stored.clustering.parameters
    selection.apply(to: &parameters)
    stored.clustering = try await seconds.measure("extract") {
      try await offPool { [clustering = stored.clustering, parameters, result] in
        try naming(result) {
          try reextract(clustering, parameters: parameters, constraints: steering.constraints)
        }
      }
    }
    if withoutVectors { stored.vectors = nil }
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [stored, singleLinkage, destination] in
        try stored.content(singleLinkage: singleLinkage).write(to: destination.out)
      }
    }
    let report = ClusteringReport(
      stored.clustering, dimensions: nil, quarantined: [],
      constraints: steering.satisfaction(of: stored.clustering.labels), seconds: seconds.all,
      out: destination.out)
    try output.output.report(report) { report.text }
  }

  /// Pairs by point; rows are those of the file that was fitted.
  private static func read(
    _ pairs: PairOptions, of stored: StoredClustering
  ) throws -> [PairConstraint] {
    let kept = stored.fileRows ?? Array(0..<stored.clustering.labels.count)
    return try pairs.read(kept: kept, of: (kept.last ?? -1) + 1)
  }
}
