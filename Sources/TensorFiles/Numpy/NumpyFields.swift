/// The three entries of a `.npy` header's dictionary.
///
/// The dictionary is a Python literal. NumPy writes it in one form, and only that form is read:
/// quoted names, a quoted type, `True` or `False`, a tuple of whole numbers.
struct NumpyFields {
  private(set) var descriptor = ""
  private(set) var isFortranOrder = false
  private(set) var shape: [Int] = []

  init(_ text: [UInt8]) throws {
    var scanner = LiteralScanner(text)
    var seen: Set<String> = []
    try scanner.expect("{")
    while !scanner.take("}") {
      let name = try scanner.readQuoted()
      try scanner.expect(":")
      guard seen.insert(name).inserted else {
        throw scanner.problem("'\(singleLine(name))' occurs twice")
      }
      switch name {
      case "descr":
        guard !scanner.isAt("[") else {
          throw scanner.problem("the type is a structure, not a number")
        }
        descriptor = try scanner.readQuoted()
      case "fortran_order": isFortranOrder = try scanner.readTruth()
      case "shape": shape = try scanner.readTuple()
      default: throw scanner.problem("'\(singleLine(name))' is not known")
      }
      if !scanner.take(",") {
        try scanner.expect("}")
        break
      }
    }
    try scanner.finish()
    guard seen.count == 3 else {
      throw scanner.problem("'descr', 'fortran_order' or 'shape' lacks")
    }
  }
}

/// Reads the Python literals that occur in `.npy` headers.
private struct LiteralScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func isAt(_ character: Unicode.Scalar) -> Bool {
    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x0A {
      position += 1
    }
    return position < bytes.count && bytes[position] == UInt8(ascii: character)
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard isAt(character) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(character) else { throw problem("\(character) was expected") }
  }

  mutating func readQuoted() throws -> String {
    let quote: Unicode.Scalar = isAt("\"") ? "\"" : "'"
    try expect(quote)
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: quote) {
      guard bytes[position] != UInt8(ascii: "\\") else { throw problem("an escape in a name") }
      position += 1
    }
    guard position < bytes.count else { throw problem("a quoted name does not end") }
    position += 1
    return String(decoding: bytes[start..<position - 1], as: UTF8.self)
  }

  mutating func readTruth() throws -> Bool {
    for (word, value) in [("True", true), ("False", false)]
    where isAt(word.unicodeScalars.first ?? " ") {
      guard bytes[position...].starts(with: word.utf8) else { break }
      position += word.utf8.count
      return value
    }
    throw problem("True or False was expected")
  }

  mutating func readTuple() throws -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    while !take(")") {
      _ = isAt(" ")
      let start = position
      while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
      let digits = String(decoding: bytes[start..<position], as: UTF8.self)
      guard let number = Int(digits) else {
        throw problem("an extent is not a whole number from 0 to 2^63 − 1")
      }
      numbers.append(number)
      if !take(",") {
        try expect(")")
        break
      }
    }
    return numbers
  }

  mutating func finish() throws {
    _ = isAt(" ")
    guard position == bytes.count else { throw problem("something follows the end") }
  }

  func problem(_ what: String) -> JSONProblem { JSONProblem(what: what, offset: position) }
}
