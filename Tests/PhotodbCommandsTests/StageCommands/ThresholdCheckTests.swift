import FaceClustering
import PersonGrouping
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("thresholds of another scale")
struct ThresholdCheckTests {
  /// Made-up people: strangers are similar by 0 ± 0.09, faces of one person by 0.92.
  private let check = ThresholdCheckTests.made(isCalibrated: false)

  /// - Parameter share: similarities are share + (1 − share) · s, as under a model with a constant.
  private static func made(isCalibrated: Bool, share: Float = 0) -> ThresholdCheck {
    let faces = MadeUpFaces.people(count: 12, each: 8)
    let rows = (0..<96).map { row -> [Float] in
      faces.values(ofRow: row).normalised.map { (1 - share).squareRoot() * $0 }
        + [share.squareRoot()]
    }
    return ThresholdCheck(
      SimilarityHistogram(Matrix(rows), people: (0..<96).map { $0 / 8 }),
      isCalibrated: isCalibrated)
  }

  @Test("the defaults are of the right scale")
  func defaults() {
    #expect(check.warnings(about: StageSettings()) == [])
  }

  @Test("where a calibration decides, only what the operator set is looked at")
  func calibrated() {
    let raw = Self.made(isCalibrated: false, share: 0.84).warnings(about: StageSettings())
    #expect(raw.contains { $0.hasPrefix("CLUSTERING_THRESHOLD = 0.45") }, "\(raw)")
    let calibrated = Self.made(isCalibrated: true, share: 0.84)
    #expect(calibrated.warnings(about: StageSettings()) == [])
    var settings = StageSettings()
    settings.clusteringThreshold = CosineDistance(0.9)
    let warnings = calibrated.warnings(about: settings)
    #expect(warnings.count == 1 && warnings[0].contains("CLUSTERING_THRESHOLD = 0.9"))
    // A gate of the operator's puts the thresholds in charge.
    settings = StageSettings()
    settings.gateAbsolute = 0.95
    let gated = calibrated.warnings(about: settings)
    #expect(gated.contains { $0.contains("CLUSTERING_THRESHOLD = 0.45") }, "\(gated)")
  }

  @Test("a distribution without pairs draws nothing")
  func emptyPlot() {
    let bin = Findings.Bin(similarity: 0.5, different: 0, same: 0)
    #expect(Findings.plot([bin, bin], threshold: 0.4) == [])
    #expect(Findings.plot([], threshold: 0.4) == [])
    let full = Findings.Bin(similarity: 0.6, different: 1, same: 0.5)
    #expect(Findings.plot([bin, full], threshold: 0.55).count == 5)
  }

  @Test(
    "a threshold that takes nobody, or everybody, is pointed out",
    arguments: [
      ("CLUSTERING_THRESHOLD", "1", "more than half"),
      ("CLUSTERING_THRESHOLD", "0.01", "no effect"),
      ("MIN_EPSILON", "1", "more than half"), ("GATE_ABSOLUTE", "0.9999", "no effect"),
      ("GATE_ABSOLUTE", "-0.5", "more than half"), ("POOL_THRESHOLD_FACTOR", "2", "more than half"),
      ("PERSON_ASSOCIATION_THRESHOLD", "0.01", "no effect"),
    ])
  func otherScales(name: String, value: String, reason: String) throws {
    var settings = StageSettings()
    if name == "POOL_THRESHOLD_FACTOR" { settings.clusteringThreshold = CosineDistance(0.6) }
    let setting = try #require(StageSetting.all.first { $0.name == name })
    #expect(setting.write(&settings, value))
    let warnings = check.warnings(about: settings)
    #expect(
      warnings.contains { $0.contains(name) && $0.contains(reason) },
      "\(name) \(value): \(warnings)")
  }
}

extension [Float] {
  fileprivate var normalised: [Float] {
    let norm = reduce(0) { $0 + $1 * $1 }.squareRoot()
    return map { $0 / norm }
  }
}
