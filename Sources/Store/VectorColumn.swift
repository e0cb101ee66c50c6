public import PostgresClient
public import Vectors

/// Why embeddings cannot be read from a column.
public struct VectorColumnError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what to do, in one line.
  public let description: String
}

/// A column of type `vector` (pgvector) of any table of the same database.
public struct VectorColumn: Sendable {
  /// Embeddings as they are stored: neither checked nor normalised.
  public struct Rows: Sendable {
    /// Id of each embedding.
    public var ids: [String] = []
    /// Photo of each embedding, where a column of photos was named.
    public var photos: [String?] = []
    /// Number of each embedding's row, from 0, in the order in which the table was read.
    public var rows: [Int] = []
    /// n × d.
    public var embeddings = Matrix<Float>([])
    /// Rows without an id or an embedding, or of another dimension than the first.
    public var rejected: [(row: Int, reason: String)] = []
  }

  private let table: [String]
  private let column: String
  private let idColumn: String
  private let photoColumn: String?

  /// Names a column.
  ///
  /// - Parameters:
  ///   - path: `table.column` or `schema.table.column`; names hold no dots and are not quoted.
  ///   - idColumn: column of the same table whose text becomes the external id.
  ///   - photoColumn: column of the same table whose text becomes the photo's path.
  /// - Throws: ``VectorColumnError`` where the path has another form.
  public init(_ path: String, idColumn: String, photoColumn: String?) throws(VectorColumnError) {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(parts.count), !parts.contains("") else {
      throw VectorColumnError(
        description: "“\(path)” names no column; write table.column or schema.table.column")
    }
    table = parts.dropLast()
    column = parts[parts.count - 1]
    self.idColumn = idColumn
    self.photoColumn = photoColumn
  }

  /// Reads all rows, one at a time, into one matrix.
  ///
  /// Call it inside a transaction of mode `snapshot`.
  ///
  /// - Throws: ``VectorColumnError`` where there is no such table, the column is no `vector`, or a view
  ///   gives other rows each time; `PostgresError`.
  /// - Complexity: O(n · d); one copy of the vectors.
  public func read(on connection: isolated PostgresConnection) throws -> Rows {
    guard let dimension = try dimension(on: connection) else { return Rows() }
    let count = Int(try connection.query("SELECT count(*) FROM \(quotedTable)")[0].int64(0))
    var result = Rows()
    var read = 0
    let all = try Matrix<Float>(rows: count, columns: dimension) { base, stride in
      let photo = photoColumn.map { "\(Self.quoted($0))::text" } ?? "NULL::text"
      _ = try connection.copyOut(
        """
        COPY (SELECT \(Self.quoted(idColumn))::text, \(photo), \(Self.quoted(column))
              FROM \(quotedTable)) TO STDOUT (FORMAT binary)
        """
      ) { row in
        // A view may give other rows each time, which no snapshot prevents; there is no place for more.
        guard read < count else { throw changing }
        defer { read += 1 }
        guard let id = try row.optionalText(0) else {
          result.rejected.append((read, "the id is NULL"))
          return
        }
        guard try !row.isNull(2) else {
          result.rejected.append((read, "the embedding is NULL"))
          return
        }
        let values = try PgvectorValue(row.bytes(2))
        guard values.dimension == dimension else {
          result.rejected.append(
            (read, "the embedding has \(values.dimension) values, not \(dimension)"))
          return
        }
        values.copy(to: base + result.ids.count * stride)
        result.ids.append(id)
        result.photos.append(try row.optionalText(1))
        result.rows.append(read)
      }
    }
    guard read == count else { throw changing }
    result.embeddings =
      result.ids.count == count ? all : all.selecting(rows: Array(result.ids.indices))
    return result
  }

  /// The column's dimension, or that of its first value; nil where there is no value.
  private func dimension(on connection: isolated PostgresConnection) throws -> Int? {
    let types = try connection.query(
      """
      SELECT t.typname::text, a.atttypmod
      FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
      WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0
        AND NOT a.attisdropped
      """, [.text(quotedTable), .text(column)])
    guard let type = types.first else {
      throw VectorColumnError(
        description: "the database has no column \(name); give schema.table.column")
    }
    guard try type.text(0) == "vector" else {
      throw VectorColumnError(
        description: "column \(name) is of type \(try type.text(0)); "
          + "only pgvector's type vector can be imported")
    }
    let declared = Int(try type.int32(1))
    if declared > 0 { return declared }
    var found: Int?
    _ = try connection.copyOut(
      """
      COPY (SELECT \(Self.quoted(column)) FROM \(quotedTable)
            WHERE \(Self.quoted(column)) IS NOT NULL LIMIT 1) TO STDOUT (FORMAT binary)
      """
    ) { found = try PgvectorValue($0.bytes(0)).dimension }
    return found
  }

  private var changing: VectorColumnError {
    VectorColumnError(
      description:
        "\(table.joined(separator: ".")) gives another number of rows each time that it is "
        + "read; copy them into a table (CREATE TABLE … AS SELECT …) and import that")
  }

  private var name: String { (table + [column]).joined(separator: ".") }

  private var quotedTable: String { table.map(Self.quoted).joined(separator: ".") }

  private static func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}

/// A value as pgvector sends it: int16 dimension, int16 unused, float32 values, all big endian.
struct PgvectorValue {
  let dimension: Int
  private let values: UnsafeRawBufferPointer

  /// The bytes must stay valid as long as the value is used.
  init(_ bytes: UnsafeRawBufferPointer) throws(VectorColumnError) {
    let count =
      bytes.count < 4 ? -1 : Int(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    guard count >= 0, bytes.count == 4 + 4 * count else {
      throw VectorColumnError(
        description: "the server sent a vector of \(bytes.count) bytes in a form that photodb does "
          + "not know; update photodb, or export the vectors to a file")
    }
    dimension = count
    values = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(4))
  }

  func copy(to target: UnsafeMutablePointer<Float>) {
    for index in 0..<dimension {
      let bits = values.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
      target[index] = Float(bitPattern: UInt32(bigEndian: bits))
    }
  }
}
