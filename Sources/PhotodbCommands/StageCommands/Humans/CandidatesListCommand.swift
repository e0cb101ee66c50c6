internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb candidates list`.
struct CandidatesListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists open questions, most similar first.",
    discussion: "One line for each face and person. Example: photodb candidates list --limit 20")

  @Option(parsing: .unconditional, help: "How many to list.")
  var limit = 50

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if limit < 1 { throw ValidationError("--limit must be at least 1.") }
  }

  func run() async throws {
    let candidates = try await DatabaseSession.with(options) {
      try await $0.stage().candidates(limit: limit)
    }
    let list = List(candidates: candidates.map(CandidateDescription.init))
    try options.output.output.report(list) {
      var table = TextTable([
        ("candidate", .right), ("detection", .left), ("cluster", .right), ("person", .right),
        ("name", .left), ("similarity", .right), ("reason", .left),
      ])
      for candidate in candidates {
        table.append([
          "\(candidate.id)", candidate.externalID, "\(candidate.clusterID)",
          "\(candidate.personID)", candidate.personName ?? "",
          Formatting.decimal(Double(candidate.similarity), places: 3), candidate.reason,
        ])
      }
      return candidates.isEmpty ? "no question waits" : table.text
    }
  }

  private struct List: Encodable {
    let candidates: [CandidateDescription]
  }

  private struct CandidateDescription: Encodable {
    let candidateId: Int64
    let externalId: String
    let clusterId: Int64
    let personId: Int64
    @OrNull var person: String?
    let similarity: Float
    let reason: String

    init(_ candidate: CandidateRecord) {
      candidateId = candidate.id
      externalId = candidate.externalID
      clusterId = candidate.clusterID
      personId = candidate.personID
      person = candidate.personName
      similarity = candidate.similarity
      reason = candidate.reason
    }
  }
}
