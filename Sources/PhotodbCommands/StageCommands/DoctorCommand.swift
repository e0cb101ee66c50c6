internal import ArgumentParser
internal import FaceClustering
internal import HDBSCAN
internal import PersonGrouping
internal import Store

/// `photodb doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Explains what a collection's thresholds rest on.",
    discussion: """
      Shows the arithmetic that screens pairs during a fit, how the active run calibrated \
      similarity, and how similar different people and the faces of one person are (faces without a \
      person are left out). Settings that are outside of that, and so take nobody or half of all \
      strangers, are pointed out; where the run's calibration decides, only those that you set.

      Example: photodb doctor --collection family
      """)

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let findings = try await DatabaseSession.with(options) { session in
      try await Findings(try await session.stage())
    }
    try options.output.output.report(findings) { findings.text }
  }
}

/// What the doctor found.
struct Findings: Encodable {
  /// The kernel that a fit uses, and all that this processor has.
  let screeningKernel: String
  let availableKernels: [String]
  let faces: Int
  /// Absent before the first bootstrap.
  let calibration: CalibrationReport?
  let distribution: [Bin]
  /// Settings in force, or set by the operator, that are not of the scale of these similarities.
  let warnings: [String]

  /// One bin of the distribution of similarities.
  struct Bin: Encodable {
    let similarity: Double
    let different: Double
    let same: Double
  }

  init(_ stage: FaceClustering) async throws {
    screeningKernel = try ScreeningKernel.selected().rawValue
    availableKernels = ScreeningKernel.allCases.filter(\.isAvailable).map(\.rawValue)
    let snapshot = try await stage.faces()
    faces = snapshot.count
    calibration = try await stage.calibration()
    guard snapshot.count > 1 else {
      distribution = []
      warnings = []
      return
    }
    let people = try await stage.personOfFace()
    let histogram = SimilarityHistogram(
      snapshot.embeddings, people: snapshot.ids.map { people[$0].map(Int.init) ?? -1 })
    distribution = histogram.edges.indices.map {
      Bin(
        similarity: histogram.edges[$0], different: histogram.different[$0],
        same: histogram.same[$0])
    }
    warnings = ThresholdCheck(histogram, isCalibrated: calibration != nil)
      .warnings(about: stage.settings)
  }

  /// The findings for people.
  var text: String {
    var lines = [
      "screening kernel  \(screeningKernel) (this processor has "
        + availableKernels.joined(separator: ", ") + ")",
      "faces             \(Formatting.count(faces))",
    ]
    lines += warnings.map { "warning           \($0)" }
    guard let calibration else {
      lines.append("calibration       none: no run is active, or it clusters by density alone;")
      lines.append("                  `photodb re-bootstrap` makes one")
      return lines.joined(separator: "\n")
    }
    func number(_ value: Double) -> String { Formatting.decimal(value, places: 3) }
    lines += [
      "different people  similarity \(number(calibration.impostorMean)) ± "
        + "\(number(calibration.impostorDeviation)) (\(calibration.source))",
      "one person        \(number(calibration.separation)) deviations above that on average",
      "people            about \(Formatting.count(Int(calibration.effectivePeople.rounded())))"
        + " of equal size would be as hard to tell apart",
      "groups are one    from a mean similarity of \(number(calibration.thresholdSimilarity)) ("
        + "\(number(calibration.threshold)) deviations, of which what people said moved it by "
        + "\(number(calibration.humanShift)))",
      "two single faces  from \(number(calibration.singleFaceSimilarity))",
      "a new face joins  from \(number(calibration.assignmentSimilarity)) to a large group",
    ]
    lines += Self.plot(distribution, threshold: calibration.thresholdSimilarity)
    return lines.joined(separator: "\n")
  }

  /// The distribution in bars, one line a bin; nothing where it holds no pair.
  static func plot(_ distribution: [Bin], threshold: Double) -> [String] {
    let most = (distribution.map(\.different) + distribution.map(\.same)).max() ?? 0
    guard most > 0 else { return [] }
    var lines = ["", "similarity   different people          one person"]
    var isMarked = false
    for bin in distribution {
      if !isMarked, bin.similarity >= threshold {
        isMarked = true
        lines.append("  ─────────  threshold")
      }
      func bar(_ share: Double) -> String {
        let length = Int((24 * share / most).rounded(.up))
        let bar = String(repeating: "█", count: share > 0 ? length : 0)
        return bar + String(repeating: " ", count: 26 - bar.count)
      }
      let edge = Formatting.decimal(bin.similarity, places: 3)
      lines.append(
        String(repeating: " ", count: max(10 - edge.count, 0)) + edge + "   "
          + (bar(bin.different) + bar(bin.same)).trimmingTrailingSpaces)
    }
    return lines
  }
}

extension CalibrationReport {
  /// What mean and deviation of the similarity of different people stand on.
  fileprivate var source: String {
    impostorPairs > 0
      ? "from \(Formatting.count(impostorPairs)) pairs" : "a prior: one person alone?"
  }

  /// The calibration in one line.
  var line: String {
    func number(_ value: Double) -> String { Formatting.decimal(value, places: 3) }
    return "groups are one from a mean similarity of \(number(thresholdSimilarity)) ("
      + "\(number(threshold)) deviations), different people \(number(impostorMean)) ± "
      + "\(number(impostorDeviation)) (\(source)), about "
      + "\(Formatting.decimal(effectivePeople, places: 0)) people"
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    guard let last = lastIndex(where: { $0 != " " }) else { return "" }
    return String(self[...last])
  }
}
