internal import ArgumentParser
internal import HDBSCAN

// Options with numbers take what follows, whatever it begins with: a negative number is out of range, and
// no option of its own.

/// What decides distances; it is fixed by a fit.
struct DistanceOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Core distance is taken to this many-th nearest other row. Default: --min-cluster-size.",
      valueName: "K"))
  var minSamples: Int?

  @Option(
    name: .long,
    help: """
      Distance between rows. cosine is the Euclidean distance e of the normalised rows; cosine \
      distance is e²/2. precomputed: the file is the n × n matrix of distances.
      """)
  var metric = Choice<Parameters.Metric>(.euclidean)

  @Option(
    name: .long, parsing: .unconditional,
    help: "Distances, but not core distances, are divided by this.")
  var alpha: Double = 1

  /// Puts the values into the parameters.
  func apply(to parameters: inout Parameters) {
    parameters.minSamples = minSamples
    parameters.metric = metric.value
    parameters.alpha = alpha
  }
}

/// What decides which clusters are taken from the hierarchy; it can be changed after a fit.
///
/// An option that is not given leaves the value as it is: the default at a fit, the fit's own at an
/// extraction.
struct SelectionOptions: ParsableArguments {
  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("Smallest group that is a cluster. Default: 5.", valueName: "N"))
  var minClusterSize: Int?

  @Option(
    name: .long,
    help: "How clusters are taken from the tree: by excess of mass, or its leaves. Default: eom.")
  var clusterSelectionMethod: Choice<Parameters.SelectionMethod>?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Clusters born below this distance are replaced by an ancestor. Default: 0, off.",
      valueName: "D"))
  var clusterSelectionEpsilon: Double?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Clusters born above this distance are not selected. Default: inf, off.", valueName: "D"))
  var clusterSelectionEpsilonMax: Double?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Siblings that separate for less than this lambda are merged first. Default: 0, off.",
      valueName: "LAMBDA"))
  var clusterSelectionPersistence: Double?

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "Clusters with more rows are not selected. Default: 0, no limit.", valueName: "N"))
  var maxClusterSize: Int?

  @Flag(
    name: .long, inversion: .prefixedNo,
    help: "Whether all rows together may be the one cluster. Default: no.")
  var allowSingleCluster: Bool?

  @Option(
    name: .long,
    help: """
      Whether edges of equal weight are removed at once, or one by one as other implementations \
      do. Default: simultaneous.
      """)
  var ties: Choice<Parameters.Ties>?

  /// Puts the values that were given into the parameters.
  func apply(to parameters: inout Parameters) {
    if let minClusterSize { parameters.minClusterSize = minClusterSize }
    if let clusterSelectionMethod { parameters.selectionMethod = clusterSelectionMethod.value }
    if let clusterSelectionEpsilon { parameters.clusterSelectionEpsilon = clusterSelectionEpsilon }
    if let clusterSelectionEpsilonMax {
      parameters.clusterSelectionEpsilonMax = clusterSelectionEpsilonMax
    }
    if let clusterSelectionPersistence {
      parameters.clusterSelectionPersistence = clusterSelectionPersistence
    }
    // The Python package writes 0 for no limit.
    if let maxClusterSize { parameters.maxClusterSize = maxClusterSize == 0 ? nil : maxClusterSize }
    if let allowSingleCluster { parameters.allowSingleCluster = allowSingleCluster }
    if let ties { parameters.ties = ties.value }
  }

  /// Whether anything but the smallest size was given; a cut has use for that alone.
  var changesMoreThanSize: Bool {
    clusterSelectionMethod != nil || clusterSelectionEpsilon != nil
      || clusterSelectionEpsilonMax != nil || clusterSelectionPersistence != nil
      || maxClusterSize != nil || allowSingleCluster != nil || ties != nil
  }

  /// Whether anything was given that changes the condensed tree, or which of its roots may be taken.
  var changesTree: Bool {
    minClusterSize != nil || clusterSelectionPersistence != nil || allowSingleCluster != nil
      || ties != nil
  }
}

/// One of the named values of a parameter, as an argument.
///
/// The library's types cannot be arguments themselves: they are public, and what parses arguments
/// is no part of the library.
struct Choice<Value>: ExpressibleByArgument
where Value: RawRepresentable<String> & CaseIterable & Sendable {
  /// The value that was chosen.
  let value: Value

  /// Makes a choice, such as a default.
  init(_ value: Value) { self.value = value }

  /// Reads a name; nil where there is no such value.
  init?(argument: String) {
    guard let value = Value(rawValue: argument) else { return nil }
    self.value = value
  }

  /// The name.
  var defaultValueDescription: String { value.rawValue }

  /// All names.
  static var allValueStrings: [String] { Value.allCases.map(\.rawValue) }
}
