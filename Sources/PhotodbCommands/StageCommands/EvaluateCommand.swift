internal import ArgumentParser

/// `photodb evaluate TRUTH.csv`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Compares the people found with known identities.",
    discussion: """
      TRUTH.csv has the columns external_id and identity; rows without identity, or with -1, are \
      left out, and so are ids that the collection does not hold (their number is said). Prints \
      pairwise and BCubed precision, recall and F, faces without a group counting as groups of one; \
      next to them those of the labels of the fit and of other methods over the same faces, each at \
      its usual thresholds and at the one that is best for these very faces: of the usual ones and \
      some forty more, the one with the greatest mean of both F. Says how many of the faces the fit \
      did not see, as those that are too small or uncertain for it, and how many wait for \
      `photodb assign`; the table of --ablate stands on the faces of the bootstrap.

      Example: photodb evaluate identities.csv --ablate
      """)

  @Argument(help: "Known identities (CSV: external_id, identity).")
  var truth: String

  @Flag(name: .long, help: "Only our own figures; the other methods take O(n²) time.")
  var withoutBaselines = false

  @Flag(name: .long, help: "Also group the faces of the active run with each step left out.")
  var ablate = false

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let identities = try TruthFile.read(truth)
    let bar = options.output.progressBar()
    let evaluation = try await DatabaseSession.with(options) { session in
      try await Evaluation.of(
        try await session.stage(), truth: identities,
        wanted: Evaluation.Wanted(baselines: !withoutBaselines, ablation: ablate)
      ) { bar.update(phase: $0, fraction: $1) }
    }
    bar.finish()
    guard evaluation.faces > 0 else {
      throw CommandFailure(
        "\(truth): none of its external ids is in collection “\(options.database.name)”")
    }
    try options.output.output.report(evaluation) { evaluation.text }
  }
}
