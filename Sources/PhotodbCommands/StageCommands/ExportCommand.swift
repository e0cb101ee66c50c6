internal import ArgumentParser
internal import FaceClustering
internal import Store
internal import Synchronization

/// `photodb export`.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes what the database knows to standard output.",
    subcommands: [ExportAssignmentsCommand.self])
}

/// `photodb export assignments`.
struct ExportAssignmentsCommand: AsyncParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case csv
    case jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "assignments", abstract: "One row a detection: where it belongs, and why.",
    discussion: """
      Columns: external_id, photo, cluster_id, person_id, person, status, confidence, tier, \
      lambda_val, outlier_score, reason (why a bootstrap leaves the face out). Infinite lambdas are written as Infinity (a string in JSON). With \
      --json one object with an array rows is printed instead.

      Example: photodb export assignments --format jsonl | head
      """)

  @Option(help: "csv or jsonl.")
  var format = Format.csv

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let output = options.output.output
    let isJSON = options.output.json
    let format = format
    let rows = Mutex<[AssignmentDescription]>([])
    try await DatabaseSession.with(options) { session in
      let stage = try await session.stage()
      if !isJSON, format == .csv { try output.print(AssignmentDescription.csvHeader) }
      // Rows are gathered to some hundred a write.
      let pending = Mutex("")
      try await stage.exportAssignments { row in
        let description = AssignmentDescription(row)
        if isJSON {
          rows.withLock { $0.append(description) }
          return
        }
        let line = format == .csv ? description.csv : try CommandOutput.encode(description)
        let full = pending.withLock { text -> String? in
          text += line + "\n"
          guard text.utf8.count > 65_536 else { return nil }
          defer { text = "" }
          return text
        }
        if let full { try output.print(full) }
      }
      let rest = pending.withLock { $0 }
      if !rest.isEmpty { try output.print(rest) }
    }
    if isJSON {
      try output.report(Rows(rows: rows.withLock { $0 })) { "" }
    }
  }

  private struct Rows: Encodable {
    let rows: [AssignmentDescription]
  }
}

/// One detection as the export writes it.
struct AssignmentDescription: Encodable {
  static let csvHeader =
    "external_id,photo,cluster_id,person_id,person,status,confidence,tier,lambda_val,outlier_score,"
    + "reason"

  let row: AssignmentRow

  init(_ row: AssignmentRow) { self.row = row }

  private enum CodingKeys: String, CodingKey {
    case externalID = "external_id"
    case photo
    case clusterID = "cluster_id"
    case personID = "person_id"
    case person, status, confidence, tier
    case lambda = "lambda_val"
    case outlierScore = "outlier_score"
    case reason
  }

  /// Every column is there in every row; what is unknown is null.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(row.externalID, forKey: .externalID)
    try container.encode(row.photo, forKey: .photo)
    try container.encode(row.clusterID, forKey: .clusterID)
    try container.encode(row.personID, forKey: .personID)
    try container.encode(row.person, forKey: .person)
    try container.encode(row.status, forKey: .status)
    try container.encode(row.confidence, forKey: .confidence)
    try container.encode(row.tier, forKey: .tier)
    try container.encode(row.lambda, forKey: .lambda)
    try container.encode(row.outlierScore, forKey: .outlierScore)
    try container.encode(row.reason, forKey: .reason)
  }

  /// The row by RFC 4180; what is unknown is empty.
  var csv: String {
    func number(_ value: Float?) -> String {
      value.map { $0.isInfinite ? "Infinity" : "\($0)" } ?? ""
    }
    return [
      Self.quote(row.externalID), Self.quote(row.photo ?? ""),
      row.clusterID.map { "\($0)" } ?? "", row.personID.map { "\($0)" } ?? "",
      Self.quote(row.person ?? ""), row.status ?? "", number(row.confidence), row.tier ?? "",
      number(row.lambda), number(row.outlierScore), Self.quote(row.reason ?? ""),
    ].joined(separator: ",")
  }

  private static func quote(_ text: String) -> String {
    let special = text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
    return special ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
