import FaceClustering
import PersonGrouping
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("thresholds of another scale")
struct ThresholdCheckTests {
  /// Made-up people: strangers are similar by 0 ± 0.09, faces of one person by 0.92.
  private let check: ThresholdCheck = {
    let faces = MadeUpFaces.people(count: 12, each: 8)
    return ThresholdCheck(
      SimilarityHistogram(
        Matrix((0..<96).map { faces.values(ofRow: $0).normalised }), people: (0..<96).map { $0 / 8 }
      ))
  }()

  @Test("the defaults are of the right scale")
  func defaults() {
    #expect(check.warnings(about: StageSettings()) == [])
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
