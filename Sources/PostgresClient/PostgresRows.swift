internal import CLibpq

/// All rows that a statement returned.
public struct PostgresRows: Sendable {
  let storage: ResultStorage

  /// The names of the columns, in order.
  public var columnNames: [String] { storage.columnNames }

  /// How many rows an INSERT, UPDATE, DELETE, MERGE, COPY or SELECT handled; 0 for others.
  public var affectedRows: Int { Int(storage.affected) ?? 0 }

  /// What the server says it did, such as `INSERT 0 3`.
  public var commandTag: String { storage.tag }

  /// The only row.
  ///
  /// - Throws: ``PostgresError`` when there is none or more than one.
  public func single() throws -> PostgresRow {
    guard count == 1 else {
      throw PostgresError(.decoding, "the statement returned \(count) rows where one was expected")
    }
    return self[0]
  }
}

extension PostgresRows: RandomAccessCollection {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of rows.
  public var endIndex: Int { storage.rowCount }

  /// One row.
  public subscript(position: Int) -> PostgresRow {
    precondition(position >= 0 && position < storage.rowCount, "row \(position) is out of range")
    return PostgresRow(storage: storage, index: position)
  }
}

/// Owns a result of libpq.
///
/// Unchecked, because libpq promises that a result is never changed after it was returned and may
/// be read by several threads; it is freed when the last reference goes.
final class ResultStorage: @unchecked Sendable {
  let rowCount: Int
  let columnNames: [String]
  let types: [UInt32]
  private let result: OpaquePointer

  init(result: OpaquePointer) {
    self.result = result
    rowCount = Int(PQntuples(result))
    let columns = 0..<PQnfields(result)
    columnNames = columns.map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
    types = columns.map { PQftype(result, $0) }
  }

  deinit {
    PQclear(result)
  }

  var tag: String { String(cString: PQcmdStatus(result)) }
  var affected: String { String(cString: PQcmdTuples(result)) }

  /// The bytes of a value, valid as long as this object lives; `nil` for NULL.
  func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
    let (row, column) = (Int32(row), Int32(column))
    guard PQgetisnull(result, row, column) == 0 else { return nil }
    return UnsafeRawBufferPointer(
      start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
  }
}
