internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb cluster show`.
struct ClusterShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one cluster.",
    discussion: "Example: photodb cluster show 40 --json")

  @Argument(help: "Id of the cluster.")
  var cluster: Int64

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let record = try await DatabaseSession.with(options) { try await $0.stage().cluster(cluster) }
    let description = ClusterDescription(record)
    try options.output.output.report(description) {
      var facts = [
        "cluster \(record.id)\(record.retiredAt.map { ", retired \(timeText($0))" } ?? "")",
        "  person          \(record.personID)\(record.personName.map { " “\($0)”" } ?? "")",
        "  faces           \(Formatting.count(record.faceCount)), \(record.coreCount) core",
        "  represented by  \(record.representative ?? "–")"
          + (record.representativeIsChosen ? " (chosen)" : ""),
        "  epsilon         \(record.epsilon.map { "\($0)" } ?? "–") (cosine distance)",
        "  lambda at birth \(record.lambdaBirth.map { "\($0)" } ?? "–")",
        "  persistence     \(record.persistence.map { "\($0)" } ?? "–")",
        "  made by         \(record.origin)\(record.runID.map { ", run \($0)" } ?? "")",
      ]
      if let at = record.verifiedAt {
        facts.append(
          "  verified        \(timeText(at))\(record.verifiedBy.map { " by \($0)" } ?? "")")
      }
      if record.hidden { facts.append("  hidden") }
      if record.anchored { facts.append("  split off by hand") }
      return facts.joined(separator: "\n")
    }
  }
}

/// A cluster as JSON shows one.
private struct ClusterDescription: Encodable {
  let clusterId: Int64
  let personId: Int64
  @OrNull var person: String?
  let faces: Int
  let core: Int
  let verified: Bool
  @OrNull var verifiedAt: String?
  @OrNull var verifiedBy: String?
  let hidden: Bool
  let anchored: Bool
  @OrNull var representative: String?
  let representativeIsChosen: Bool
  @OrNull var epsilon: Float?
  @OrNull var lambdaBirth: Float?
  @OrNull var persistence: Float?
  @OrNull var runId: Int64?
  let origin: String
  @OrNull var retiredAt: String?
  init(_ record: ClusterRecord) {
    clusterId = record.id
    personId = record.personID
    person = record.personName
    faces = record.faceCount
    core = record.coreCount
    verified = record.verified
    verifiedAt = record.verifiedAt.map(timeText)
    verifiedBy = record.verifiedBy
    hidden = record.hidden
    anchored = record.anchored
    representative = record.representative
    representativeIsChosen = record.representativeIsChosen
    epsilon = record.epsilon
    lambdaBirth = record.lambdaBirth
    persistence = record.persistence
    runId = record.runID
    origin = record.origin
    retiredAt = record.retiredAt.map(timeText)
  }
}
