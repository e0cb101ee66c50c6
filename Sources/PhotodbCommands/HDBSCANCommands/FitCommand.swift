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
      """)

  @Argument(help: "Vectors: .npy, .npz, .safetensors (tensor embeddings) or .csv.")
  var file: String

  @OptionGroup var destination: ResultDestination
  @OptionGroup(title: "Distances") var distances: DistanceOptions
  @OptionGroup(title: "Clusters") var selection: SelectionOptions
  @OptionGroup(title: "Rows") var input: InputOptions

  @Flag(name: .long, help: "Do not store the vectors; predict then cannot use the result.")
  var withoutVectors = false

  @Flag(name: .long, help: "Store the single-linkage tree, too, as SciPy's linkage matrix.")
  var singleLinkage = false

  @OptionGroup(title: "Work") var threads: ThreadOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    try destination.check()
    let parameters = parameters
    var seconds = PhaseSeconds()
    let rows = try await seconds.measure("read") {
      try await offPool { [file, input] in
        try InputRows(path: file, metric: parameters.metric, quarantine: input.quarantine)
      }
    }
    try rows.checkMemory(parameters: parameters, path: file)
    let clustering = try await seconds.measure("fit") { try await fit(rows, parameters) }
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [destination, singleLinkage, withoutVectors] in
        let stored = StoredClustering(
          clustering: clustering, vectors: withoutVectors ? nil : rows.points,
          fileRows: rows.fileRows)
        try stored.content(singleLinkage: singleLinkage).write(to: destination.out)
      }
    }
    let report = ClusteringReport(
      clustering, dimensions: rows.dimensions, quarantined: rows.quarantined,
      seconds: seconds.all, out: destination.out)
    try output.output.report(report) { report.text }
  }

  /// The settings of the fit.
  private var parameters: Parameters {
    var parameters = Parameters()
    distances.apply(to: &parameters)
    selection.apply(to: &parameters)
    return parameters
  }
}
