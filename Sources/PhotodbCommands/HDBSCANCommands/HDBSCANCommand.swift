internal import ArgumentParser

/// `photodb hdbscan`: the clustering alone, from files to files, with no database.
struct HDBSCANCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hdbscan",
    abstract: "Clusters the vectors of a file with HDBSCAN; needs no database.",
    discussion: """
      Vectors come from .npy, .npz, .safetensors (tensor embeddings) or .csv. Results are \
      .safetensors files: labels, probabilities, outlier scores, and the whole hierarchy, from \
      which predict and extract work without a second fit.
      """,
    subcommands: [FitCommand.self, PredictCommand.self, ExtractCommand.self])
}
