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
      taken_at: ISO 8601 or Unix seconds). Embeddings are normalised. Rows without an external id \
      get FILE:row; a row whose external id is already there changes nothing. A row that cannot be \
      used is reported and the others go on; where none can be used the exit code is 1.

      Without FILE, --from-column reads a column of type vector (pgvector) of a table in the \
      same database.

      Example: photodb import faces.safetensors --collection holidays
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
    if file?.isEmpty == true { throw ValidationError("FILE must not be empty.") }
    if let reason = model.flatMap(TextLimits.fault(ofModel:)) {
      throw ValidationError("--model \(reason).")
    }
  }

  func run() async throws {
    let name = file ?? fromColumn ?? ""
    // Read before a server is started for it; lines, whose lengths may differ, need the collection's.
    let early = try file.flatMap { $0.hasSuffix(".jsonl") ? nil : try FaceFile.read($0) }
    let bar = options.output.progressBar()
    let report = try await DatabaseSession.with(options) { session in
      let faces = if let early { early } else { try await read(session) }
      guard !faces.faces.isEmpty || !faces.rejected.isEmpty else {
        throw CommandFailure("\(name): holds no face; nothing was imported")
      }
      guard faces.embeddings.columns > 0 || faces.faces.isEmpty else {
        throw CommandFailure("\(name): the embeddings have no columns")
      }
      // A file without one row that can be stored makes no collection.
      if let rejected = faces.reasonsWhereNoneIsUsable() {
        return ImportReport(rejectedOnly: rejected)
      }
      let stage = try await open(session, for: faces, of: name)
      return try await stage.importFaces(faces) { done, total in
        bar.update(phase: "import", completed: done, total: total, unit: "faces")
      }
    }
    bar.finish()
    try options.output.output.report(report) { text(report) }
    // Nothing usable in a file that has rows is a failure that cron should see.
    if report.imported == 0, report.skipped == 0 {
      throw CommandFailure(
        "\(name): none of the \(report.read) rows was imported: \(Self.summary(report.rejected))")
    }
  }

  /// Opens the collection, or makes it; what cannot be stored is said of the source.
  private func open(
    _ session: DatabaseSession, for faces: FaceFile, of source: String
  ) async throws -> FaceClustering {
    do {
      return try await FaceClustering.openOrCreate(
        pool: session.pool, collection: session.collection,
        embeddingModel: model ?? faces.embeddingModel, dimension: faces.embeddings.columns,
        settings: session.settings.stage, logger: session.logger)
    } catch StoreError.unusableModel(let reason) {
      // That of --model was looked at before.
      throw CommandFailure(
        """
        \(source): the embedding model that its __metadata__ names (model, or embedding_model) \
        \(reason); name the model with --model
        """)
    } catch let error as StoreError {
      guard case .dimensionOutOfRange = error else { throw error }
      throw CommandFailure("\(source): \(error)")
    }
  }

  /// The reasons of rejected rows, the three most frequent ones with their numbers.
  static func summary(_ rejected: [RejectedRow]) -> String {
    var counts: [String: Int] = [:]
    for row in rejected { counts[row.reason, default: 0] += 1 }
    let ordered = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let texts = ordered.prefix(3).map { "\($0.value) × \($0.key)" }
    return texts.joined(separator: "; ") + (ordered.count > 3 ? "; …" : "")
  }

  /// The faces of a column, or of lines.
  private func read(_ session: DatabaseSession) async throws -> FaceFile {
    if let fromColumn, let idColumn {
      return try await FaceFile.read(
        try VectorColumn(fromColumn, idColumn: idColumn, photoColumn: photoColumn),
        pool: session.pool)
    }
    return try FaceFile.read(
      file ?? "",
      dimension: try await FaceClustering.dimension(
        ofCollection: session.collection, pool: session.pool))
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
