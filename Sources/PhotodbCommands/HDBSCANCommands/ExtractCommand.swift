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
      edges shorter than D. Otherwise the options that are given replace those of the fit; the \
      new file is a result like the first. What decides distances (--min-samples, --metric, \
      --alpha) stays that of the fit.

      Example: photodb hdbscan extract result.safetensors --cut 0.9 --out labels.safetensors
      """)

  @Argument(help: "A file that photodb hdbscan fit has written.")
  var result: String

  @OptionGroup var destination: ResultDestination

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Cut the hierarchy at this distance, in the distance of the fit: with cosine, √(2c).",
      valueName: "D"))
  var cut: Double?

  @OptionGroup(title: "Clusters") var selection: SelectionOptions

  @Flag(name: .long, help: "Do not carry the vectors over to the new file.")
  var withoutVectors = false

  @Flag(name: .long, help: "Store the single-linkage tree, too, as SciPy's linkage matrix.")
  var singleLinkage = false

  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func validate() throws {
    guard let cut else { return }
    if !(cut >= 0) { throw ValidationError("--cut must be a distance, at least 0.") }
    if selection.changesMoreThanSize || singleLinkage {
      throw ValidationError("--cut goes with --min-cluster-size only.")
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
    var parameters = stored.clustering.parameters
    selection.apply(to: &parameters)
    stored.clustering = try await seconds.measure("extract") {
      try await offPool { [clustering = stored.clustering, parameters, result] in
        try naming(result) { try reextract(clustering, parameters: parameters) }
      }
    }
    if withoutVectors { stored.vectors = nil }
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [stored, singleLinkage, destination] in
        try stored.content(singleLinkage: singleLinkage).write(to: destination.out)
      }
    }
    let report = ClusteringReport(
      stored.clustering, dimensions: nil, quarantined: [], seconds: seconds.all,
      out: destination.out)
    try output.output.report(report) { report.text }
  }

  /// Writes the labels of a cut.
  private func write(
    cut distance: Double, of stored: StoredClustering, seconds: PhaseSeconds
  ) async throws {
    var seconds = seconds
    let clustering = stored.clustering
    let size = selection.minClusterSize ?? clustering.parameters.minClusterSize
    let labels = try await seconds.measure("extract") {
      try await offPool { [result] in
        try naming(result) {
          try HDBSCAN.cut(clustering, atDistance: distance, minClusterSize: size)
        }
      }
    }
    var metadata = clustering.parameters.metadata
    metadata["format"] = StoredClustering.format
    metadata["format_version"] = String(StoredClustering.formatVersion)
    metadata["kind"] = "cut"
    metadata["photodb_version"] = photodbVersion
    metadata["cut_distance"] = String(distance)
    metadata["min_cluster_size"] = String(size)
    var tensors = ["labels": Tensor(labels)]
    if let fileRows = stored.fileRows { tensors["rows"] = Tensor(fileRows) }
    let content = SafetensorsContent(tensors: tensors, metadata: metadata)
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [destination] in
        try content.write(to: destination.out)
      }
    }
    let report = CutReport(
      n: labels.count, clusters: (labels.max() ?? -1) + 1, noise: labels.count { $0 < 0 },
      cut: distance, minClusterSize: size, seconds: seconds.all,
      peakMemoryBytes: peakMemoryBytes(), out: destination.out)
    try output.output.report(report) {
      "\(Formatting.count(report.clusters)) clusters, \(Formatting.count(report.noise)) of "
        + "\(Formatting.count(report.n)) rows are noise → \(report.out)"
    }
  }

  /// What `extract --cut` reports.
  private struct CutReport: Encodable {
    let n: Int
    let clusters: Int
    let noise: Int
    let cut: Double
    let minClusterSize: Int
    let seconds: [String: Double]
    let peakMemoryBytes: Int
    let out: String
  }
}
