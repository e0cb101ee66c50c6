internal import ArgumentParser
internal import HDBSCAN
internal import TensorFiles

/// `photodb hdbscan fit FILE --out RESULT`.
struct FitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit", abstract: "Clusters the rows of a file.",
    discussion: """
      Options are named as in the Python package hdbscan. The result is exact and depends neither \
      on the order of rows nor on the number of threads.

      Example: photodb hdbscan fit vectors.npy --min-cluster-size 5 --out result.safetensors
      """)

  @Argument(help: "Vectors: .npy, .npz, .safetensors (tensor embeddings) or .csv.")
  var file: String

  @OptionGroup var destination: ResultDestination
  @OptionGroup(title: "Distances") var distances: DistanceOptions
  @OptionGroup(title: "Clusters") var selection: SelectionOptions
  @OptionGroup(title: "Rows") var input: InputOptions
  @OptionGroup(title: "Steering") var steering: SteeringOptions

  @Flag(
    name: .long,
    help: "Measure the clusters: DBCV, silhouette, Davies–Bouldin, Calinski–Harabasz; O(n² · d).")
  var validity = false

  @Flag(name: .long, help: "Do not store the vectors; predict then cannot use the result.")
  var withoutVectors = false

  @Flag(name: .long, help: "Store the single-linkage tree, too, as SciPy's linkage matrix.")
  var singleLinkage = false

  @OptionGroup(title: "Work") var threads: ThreadOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func validate() throws {
    if validity, distances.metric.value == .precomputed {
      throw ValidationError("--validity needs vectors, and --metric precomputed has none.")
    }
    if !steering.pairs.isEmpty, selection.clusterSelectionMethod?.value == .leaf {
      throw ValidationError("--must-link and --cannot-link need --cluster-selection-method eom.")
    }
  }

  func run() async throws {
    try destination.check()
    let parameters = parameters
    var seconds = PhaseSeconds()
    let rows = try await seconds.measure("read") {
      try await offPool { [file, input] in
        try InputRows(path: file, metric: parameters.metric, quarantine: input.quarantine)
      }
    }
    let steering = try self.steering.read(for: rows)
    try rows.checkMemory(parameters: parameters, path: file)
    let clustering = try await seconds.measure("fit") { try await fit(rows, parameters, steering) }
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [destination, singleLinkage, withoutVectors] in
        let stored = StoredClustering(
          clustering: clustering, vectors: withoutVectors ? nil : rows.points,
          fileRows: rows.fileRows)
        try stored.content(singleLinkage: singleLinkage).write(to: destination.out)
      }
    }
    let validity =
      try await validity ? seconds.measure("validity") { try await measure(rows, clustering) } : nil
    let report = ClusteringReport(
      clustering, dimensions: rows.dimensions, quarantined: rows.quarantined,
      constraints: steering.satisfaction(of: clustering.labels), validity: validity,
      seconds: seconds.all, out: destination.out)
    try output.output.report(report) { report.text }
  }

  private func measure(_ rows: InputRows, _ clustering: Clustering) async throws -> ValidityReport {
    try await offPool { [threads] in
      try ValidityReport(rows.points, clustering, threads: threads.count)
    }
  }

  /// The settings of the fit.
  private var parameters: Parameters {
    var parameters = Parameters()
    distances.apply(to: &parameters)
    selection.apply(to: &parameters)
    return parameters
  }
}
