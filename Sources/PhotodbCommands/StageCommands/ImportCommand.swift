internal import ArgumentParser
internal import FaceClustering
internal import Store
internal import Vectors

/// `photodb import FILE`, or from a pgvector column.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Stores faces with their embeddings.",
    discussion: """
      FILE is .safetensors (tensors embeddings and, optionally, photo, confidence, bbox, \
      external_id), .npy, .npz or .jsonl (photo, external_id, embedding, bbox, confidence, \
      taken_at). Embeddings are normalised. Rows without an external id get FILE:row; a row whose \
      external id is already there changes nothing. A row that cannot be used is reported and the \
      others go on.

      Without FILE, --from-column reads a column of type vector (pgvector) of a table in the \
      same database.
      """)

  @Argument(help: "Faces to import.")
  var file: String?

  @Option(
    help: ArgumentHelp("pgvector column to import.", valueName: "[schema.]table.column"))
  var fromColumn: String?

  @Option(
    help: ArgumentHelp("Column of the same table with the external ids.", valueName: "column"))
  var idColumn: String?

  @Option(help: ArgumentHelp("Column of the same table with the photos.", valueName: "column"))
  var photoColumn: String?

  @Option(help: "Name of the model that made the embeddings. Default: what FILE says.")
  var model: String?

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    guard (file == nil) != (fromColumn == nil) else {
      throw ValidationError("Give a FILE, or --from-column with --id-column.")
    }
    guard (fromColumn == nil) == (idColumn == nil), fromColumn != nil || photoColumn == nil else {
      throw ValidationError("--from-column needs --id-column; --photo-column goes with both.")
    }
  }

  func run() async throws {
    // A file is read before a server is started for it.
    let fromFile = try file.map { try FaceFile.read($0) }
    let column = try fromColumn.flatMap { path in
      try idColumn.map { try VectorColumn(path, idColumn: $0, photoColumn: photoColumn) }
    }
    let bar = options.output.progressBar()
    let report = try await DatabaseSession.with(options) { session in
      let fromDatabase = try await read(column, session)
      guard let faces = fromFile ?? fromDatabase else { return ImportReport(rejectedOnly: []) }
      guard faces.embeddings.columns > 0 || faces.faces.isEmpty else {
        throw CommandFailure("\(file ?? fromColumn ?? ""): the embeddings have no columns")
      }
      // A file without one usable row must not make a collection of dimension 0.
      if faces.faces.isEmpty {
        return ImportReport(rejectedOnly: faces.rejected)
      }
      let stage = try await FaceClustering.openOrCreate(
        pool: session.pool, collection: session.collection,
        embeddingModel: model ?? faces.embeddingModel, dimension: faces.embeddings.columns,
        settings: session.settings.stage, logger: session.logger)
      return try await stage.importFaces(faces) { done, total in
        bar.update(phase: "import", completed: done, total: total, unit: "faces")
      }
    }
    bar.finish()
    try options.output.output.report(report) { text(report) }
    // Nothing usable in a file that has rows is a failure that cron should see.
    if report.imported == 0, report.skipped == 0, report.read > 0 { throw ExitCode(1) }
  }

  private func read(_ column: VectorColumn?, _ session: DatabaseSession) async throws -> FaceFile? {
    guard let column else { return nil }
    return try await FaceFile.read(column, pool: session.pool)
  }

  private func text(_ report: ImportReport) -> String {
    var lines = [
      "read \(Formatting.count(report.read)), imported \(Formatting.count(report.imported)), "
        + "skipped \(Formatting.count(report.skipped)) (already there), "
        + "rejected \(Formatting.count(report.rejected.count)) in "
        + Formatting.seconds(report.seconds)
    ]
    lines += report.rejected.prefix(20).map { "  row \($0.row): \($0.reason)" }
    if report.rejected.count > 20 {
      lines.append("  … and \(report.rejected.count - 20) more (--json lists them all)")
    }
    return lines.joined(separator: "\n")
  }
}
