internal import HDBSCAN
internal import TensorFiles

extension Parameters {
  /// The parameters as texts, named as in the Python package; no entry means no value.
  ///
  /// `lambda_distance` says in which distance lambdas, core distances and weights are.
  var metadata: [String: String] {
    var result = [
      "min_cluster_size": String(minClusterSize),
      "min_samples": String(minSamples ?? minClusterSize),
      "cluster_selection_method": selectionMethod.rawValue,
      "cluster_selection_epsilon": String(clusterSelectionEpsilon),
      "cluster_selection_epsilon_max": String(clusterSelectionEpsilonMax),
      "cluster_selection_persistence": String(clusterSelectionPersistence),
      "max_cluster_size": String(maxClusterSize ?? 0),
      "allow_single_cluster": String(allowSingleCluster),
      "alpha": String(alpha),
      "metric": metric.rawValue,
      "ties": ties.rawValue,
    ]
    result["lambda_distance"] =
      switch metric {
      case .euclidean: "euclidean"
      case .cosine: "euclidean of normalised vectors, sqrt(2 * cosine distance)"
      case .precomputed: "precomputed"
      }
    return result
  }

  /// The parameters that a result's file names.
  init(metadata file: SafetensorsFile) throws {
    func value<Value>(_ name: String, _ parse: (String) -> Value?) throws -> Value {
      guard let value = file.metadata[name].flatMap(parse) else {
        throw file.damaged("its metadata has no usable \(name)")
      }
      return value
    }
    self.init()
    minClusterSize = try value("min_cluster_size") { Int($0) }
    minSamples = try value("min_samples") { Int($0) }
    selectionMethod = try value("cluster_selection_method", SelectionMethod.init(rawValue:))
    clusterSelectionEpsilon = try value("cluster_selection_epsilon") { Double($0) }
    clusterSelectionEpsilonMax = try value("cluster_selection_epsilon_max") { Double($0) }
    clusterSelectionPersistence = try value("cluster_selection_persistence") { Double($0) }
    let largest = try value("max_cluster_size") { Int($0) }
    maxClusterSize = largest == 0 ? nil : largest
    allowSingleCluster = try value("allow_single_cluster") { Bool($0) }
    alpha = try value("alpha") { Double($0) }
    metric = try value("metric", Metric.init(rawValue:))
    ties = try value("ties", Ties.init(rawValue:))
  }
}
