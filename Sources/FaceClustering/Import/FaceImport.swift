internal import PostgresClient
internal import Store
internal import Vectors

/// What an import did.
public struct ImportReport: Sendable, Codable {
  /// Rows in the source.
  public var read: Int
  /// Faces that are new in the collection.
  public var imported: Int
  /// Rows whose external id is already there; nothing was changed.
  public var skipped: Int
  /// Those of the skipped whose stored embedding, which was kept, is another.
  public var conflicting: Int
  /// External ids of the first ten of them.
  public var conflictingIDs: [String]
  /// Rows that were not taken, by row.
  public var rejected: [RejectedRow]
  /// Seconds from start to end.
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case read, imported, skipped, conflicting, rejected, seconds
    case conflictingIDs = "conflicting_ids"
  }
}

/// Checks, normalises and stores faces, a chunk a transaction.
struct FaceImport {
  let pool: PostgresPool
  let collection: CollectionRecord
  let chunkSize: Int

  /// Imports what is usable; a row that is not is reported and keeps nobody else back.
  ///
  /// A face is stored whole or not at all, so an import that was cut off can simply be repeated.
  func run(
    _ file: FaceFile, progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?
  ) async throws -> ImportReport {
    let clock = Stopwatch()
    var report = ImportReport(
      read: file.faces.count + file.rejected.count, imported: 0, skipped: 0, conflicting: 0,
      conflictingIDs: [], rejected: file.rejected, seconds: 0)
    var firstRow: [ExactText: Int] = [:]
    for start in stride(from: 0, to: file.faces.count, by: chunkSize) {
      let rows = start..<min(start + chunkSize, file.faces.count)
      let usable = Self.check(rows, of: file, firstRow: &firstRow, rejected: &report.rejected)
      let stored = try await store(usable, of: file)
      report.imported += stored.imported
      report.conflicting += stored.conflicting.count
      report.conflictingIDs += stored.conflicting.prefix(10 - report.conflictingIDs.count)
      report.skipped += usable.count - stored.imported
      progress?(rows.upperBound, file.faces.count)
    }
    let imported = report.imported
    if imported >= PlannerStatistics.fewest {
      try await pool.withTransaction {
        try PlannerStatistics.refresh(imported: imported, on: $0)
      }
    }
    report.rejected.sort { $0.row < $1.row }
    report.seconds = clock.total
    return report
  }

  /// Rows of a range that can be stored; the others are named.
  static func check(
    _ rows: Range<Int>, of file: FaceFile, firstRow: inout [ExactText: Int],
    rejected: inout [RejectedRow]
  ) -> [Int] {
    let chunk = vectors(Array(rows), of: file)
    let defects = Dictionary(
      uniqueKeysWithValues: chunk.defectiveRows().map { ($0.row + rows.lowerBound, $0.defect) })
    return rows.filter { row in
      if let reason = fault(of: row, in: file, defect: defects[row], firstRow: &firstRow) {
        rejected.append(RejectedRow(row: file.rows[row], reason: reason))
        return false
      }
      return true
    }
  }

  /// Some rows, ascending; no copy is made where they are all.
  private static func vectors(_ rows: [Int], of file: FaceFile) -> Matrix<Float> {
    rows.count == file.embeddings.rows
      ? file.embeddings : file.embeddings.selecting(rows: rows)
  }

  private static func fault(
    of row: Int, in file: FaceFile, defect: RowDefect?, firstRow: inout [ExactText: Int]
  ) -> String? {
    let face = file.faces[row]
    switch defect {
    case .nonFinite: return "the embedding holds NaN or infinity"
    case .zero: return "the embedding is all zero"
    case nil: break
    }
    if let box = face.box {
      guard [box.x, box.y, box.width, box.height].allSatisfy(\.isFinite), box.width > 0,
        box.height > 0
      else { return "the face box is empty or not finite" }
    }
    if let confidence = face.confidence, !(0...1).contains(confidence) {
      return "the confidence \(confidence) lies outside 0…1"
    }
    if let time = face.takenAt, !times.contains(time) {
      return "taken_at \(time) lies outside the years 1…9999; write seconds since 1970, not "
        + "milliseconds, or ISO 8601"
    }
    let (id, longestID) = (face.externalID, TextLimits.longestName)
    if id.isEmpty { return "the external id is empty" }
    if let reason = TextLimits.fault(id, longest: longestID) { return "the external id \(reason)" }
    let longestPath = TextLimits.longestPath
    if let reason = face.photo.flatMap({ TextLimits.fault($0, longest: longestPath) }) {
      return "the photo's path \(reason)"
    }
    if let first = firstRow[ExactText(id)] {
      return "the external id “\(id)” is already that of row \(first)"
    }
    firstRow[ExactText(id)] = file.rows[row]
    return nil
  }

  /// Seconds since 1970 of the years 1 to 9999; those of PostgreSQL reach further.
  private static let times = -62_135_596_800..<253_402_300_800.0

  /// Beyond this two vectors are not the same one, written with another precision.
  private static let sameVector = CosineDistance(1e-6)

  private func store(
    _ rows: [Int], of file: FaceFile
  ) async throws -> (imported: Int, conflicting: [String]) {
    if rows.isEmpty { return (0, []) }
    let unit = try Self.vectors(rows, of: file).normalised()
    let faces = rows.map { file.faces[$0] }
    let norms = faces.indices.map { Float(unit.dotProduct($0, $0).squareRoot()) }
    let collection = collection
    let repository = FaceImportRepository(collection)
    // Two imports of the same ids at once: the slower one sees a unique violation, looks again and
    // skips what is there by then.
    var attempt = 1
    while true {
      do {
        return try await pool.withTransaction { connection in
          let existing = try repository.existing(faces.map(\.externalID), on: connection)
          let new = faces.indices.filter { existing[ExactText(faces[$0].externalID)] == nil }
          let conflicting = faces.indices.filter { index in
            existing[ExactText(faces[index].externalID)].map { stored in
              stored.isEmpty || !(unit.cosineDistance(index, to: stored) <= Self.sameVector)
            } ?? false
          }
          try repository.insert(
            new.map { faces[$0] }, rows: new, embeddings: unit, norms: new.map { norms[$0] },
            on: connection)
          // Last, and with the faces: workers hear of them when they are there.
          if !new.isEmpty { try JobQueue().enqueue(.assign, collection, on: connection) }
          return (new.count, conflicting.map { faces[$0].externalID })
        }
      } catch let error as PostgresError where error.code == .uniqueViolation && attempt < 5 {
        attempt += 1
      }
    }
  }
}

extension FaceFile {
  /// Why each row cannot be stored, by row; nil where one can.
  ///
  /// Asked before a collection is made, so that a useless file does not settle its dimension and model.
  ///
  /// - Complexity: O(n · d) where there is none, else as far as the first that can.
  public func reasonsWhereNoneIsUsable() -> [RejectedRow]? {
    var rejected = rejected
    var firstRow: [ExactText: Int] = [:]
    for start in stride(from: 0, to: faces.count, by: 1_000) {
      let rows = start..<min(start + 1_000, faces.count)
      let usable = FaceImport.check(rows, of: self, firstRow: &firstRow, rejected: &rejected)
      if !usable.isEmpty { return nil }
    }
    return rejected.sorted { $0.row < $1.row }
  }
}

extension ImportReport {
  /// The report on a source of which no row could be read.
  public init(rejectedOnly rejected: [RejectedRow]) {
    self.init(
      read: rejected.count, imported: 0, skipped: 0, conflicting: 0, conflictingIDs: [],
      rejected: rejected, seconds: 0)
  }
}
