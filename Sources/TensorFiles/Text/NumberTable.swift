public import Vectors

/// Reads a `.csv` file of numbers: one row a line, separated by commas, all rows of one length.
///
/// A first line without any number is a header and left out, as are empty lines. Fields may be quoted.
/// `nan` and `inf` are numbers; whoever uses the rows decides about them. The file is
/// read twice with memory for one line: once to count, once into the matrix.
///
/// - Parameters:
///   - path: the file.
///   - limit: most bytes that the matrix may take in memory.
/// - Throws: `TensorFileError` with the line's number where rows differ in length or a field is no
///   number.
/// - Complexity: O(bytes).
public func readNumberTable(
  path: String, limit: Int = ReadLimit.physicalMemory
) throws -> Matrix<Double> {
  let source = try ByteSource(path: path)
  guard source.count > 0 else {
    throw source.problem("is empty", advice: "give rows of numbers")
  }
  let extent = try NumberTableExtent(source)
  do {
    try MatrixMemory(
      rows: extent.rows, columns: extent.columns, scalarSize: MemoryLayout<Double>.stride
    ).check(limit: limit)
  } catch {
    throw source.problem(error.what, advice: error.advice)
  }
  return try Matrix(rows: extent.rows, columns: extent.columns) { storage, stride in
    var row = 0
    try forEachTableLine(source) { line, bytes in
      guard line != extent.headerLine else { return }
      let fields = tableFields(bytes)
      // The file may have been changed between the two readings.
      guard row < extent.rows, fields.count == extent.columns else {
        throw source.problem("was changed while it was read", advice: "read it again")
      }
      for (column, field) in fields.enumerated() {
        guard let number = tableNumber(field) else {
          let text = singleLine(String(decoding: field, as: UTF8.self), limit: 40)
          throw source.problem(
            field.isEmpty ? "is empty" : "\"\(text)\" is not a number",
            at: "line \(line), column \(column + 1)", advice: "give rows of numbers")
        }
        storage[row * stride + column] = number
      }
      row += 1
    }
    guard row == extent.rows else {
      throw source.problem("was changed while it was read", advice: "read it again")
    }
  }
}

/// Number of rows and columns; every row has been found to be of that length.
private struct NumberTableExtent {
  private(set) var rows = 0
  private(set) var columns = 0
  private(set) var headerLine: Int?

  init(_ source: ByteSource) throws {
    var rows = 0
    var columns: Int?
    var headerLine: Int?
    try forEachTableLine(source) { line, bytes in
      let fields = tableFields(bytes)
      if columns == nil {
        columns = fields.count
        // One with some numbers is a row with something wrong in it.
        if fields.allSatisfy({ tableNumber($0) == nil }), fields.contains(where: { !$0.isEmpty }) {
          headerLine = line
          return
        }
      }
      guard fields.count == columns else {
        throw source.problem(
          "has \(fields.count) fields, but the lines before it have \(columns ?? 0)",
          at: "line \(line)", advice: "give rows of one length")
      }
      rows += 1
    }
    self.rows = rows
    self.columns = columns ?? 0
    self.headerLine = headerLine
  }
}

private func forEachTableLine(
  _ source: ByteSource, _ body: (_ number: Int, _ bytes: [UInt8]) throws -> Void
) throws {
  var reader = LineReader(source)
  while let line = try reader.next() {
    switch line {
    case .text(let number, let bytes):
      if bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) { try body(number, bytes) }
    case .tooLong(let number):
      throw source.problem(
        "is longer than \(LineReader.limit) bytes", at: "line \(number)",
        advice: "write large matrices as .npy or .safetensors")
    }
  }
}

/// The fields of a line, without the white space and the quotes around them.
private func tableFields(_ line: [UInt8]) -> [ArraySlice<UInt8>] {
  var fields: [ArraySlice<UInt8>] = []
  var start = 0
  var isQuoted = false
  for (index, byte) in line.enumerated() {
    if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
    if byte == UInt8(ascii: ","), !isQuoted {
      fields.append(trimmed(line[start..<index]))
      start = index + 1
    }
  }
  fields.append(trimmed(line[start...]))
  return fields
}

private func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var field = field
  while let first = field.first, first == 0x20 || first == 0x09 { field.removeFirst() }
  while let last = field.last, last == 0x20 || last == 0x09 { field.removeLast() }
  let quote = UInt8(ascii: "\"")
  if field.count >= 2, field.first == quote, field.last == quote {
    return field.dropFirst().dropLast()
  }
  return field
}

/// The number that a field is: decimal, `nan` or `inf`; Swift's hexadecimal forms are not taken.
private func tableNumber(_ field: ArraySlice<UInt8>) -> Double? {
  guard !field.contains(where: { $0 == UInt8(ascii: "x") || $0 == UInt8(ascii: "X") }) else {
    return nil
  }
  return Double(String(decoding: field, as: UTF8.self))
}
