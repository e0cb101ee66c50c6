/// What is wrong with a JSON text, and at which byte.
struct JSONProblem: Error {
  let what: String
  let offset: Int
}

/// Reads JSON (RFC 8259) from bytes, one value after the other, as the caller expects them.
///
/// Stricter than most parsers, on purpose: a name may occur once in an object, numbers follow the
/// grammar (no NaN, no leading zeros), strings are valid UTF-8.
struct JSONScanner {
  let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads an object; `member` must read each member's value.
  mutating func readObject(
    _ member: (inout JSONScanner, _ name: String) throws -> Void
  ) throws {
    try expect("{", as: "an object")
    if take("}") { return }
    var names: Set<String> = []
    repeat {
      skipSpace()
      let start = position
      let name = try readString()
      guard names.insert(name).inserted else {
        throw JSONProblem(what: "the name \"\(singleLine(name))\" occurs twice", offset: start)
      }
      try expect(":", as: "a colon")
      try member(&self, name)
    } while take(",")
    try expect("}", as: "a comma or the end of an object")
  }

  /// Reads an array; `element` must read each element.
  mutating func readArray(_ element: (inout JSONScanner) throws -> Void) throws {
    try expect("[", as: "an array")
    if take("]") { return }
    repeat { try element(&self) } while take(",")
    try expect("]", as: "a comma or the end of an array")
  }

  /// Reads `null` if it comes next.
  mutating func readNull() -> Bool {
    skipSpace()
    guard bytes[position...].starts(with: "null".utf8) else { return false }
    position += 4
    return true
  }

  /// Whether a string comes next.
  mutating func isAtString() -> Bool {
    skipSpace()
    return position < bytes.count && bytes[position] == UInt8(ascii: "\"")
  }

  /// Reads a whole number that fits in 64 bits.
  mutating func readInteger() throws -> Int {
    let start = position
    let text = try readNumberText()
    guard let number = Int(text) else {
      throw JSONProblem(
        what: "\(singleLine(text, limit: 40)) is not a whole number of 63 bits", offset: start)
    }
    return number
  }

  /// Reads a number; one beyond the range of `Number` is infinite.
  mutating func readNumber<Number: LosslessStringConvertible>(_: Number.Type) throws -> Number {
    let start = position
    let text = try readNumberText()
    guard let number = Number(text) else {
      throw JSONProblem(what: "\(singleLine(text, limit: 40)) is not a number", offset: start)
    }
    return number
  }

  /// Checks that nothing but white space is left.
  mutating func finish() throws {
    skipSpace()
    guard position == bytes.count else { throw problem("something follows the end") }
  }

  /// Reads over any value, checking its form.
  ///
  /// Nesting is kept in a list, not on the stack.
  mutating func skipValue() throws {
    var closers: [UInt8] = []
    repeat {
      // One value, or the opening of one.
      skipSpace()
      switch peek() {
      case UInt8(ascii: "\""): _ = try readString()
      case UInt8(ascii: "{"):
        position += 1
        if !take("}") {
          try readName()
          closers.append(UInt8(ascii: "}"))
          continue
        }
      case UInt8(ascii: "["):
        position += 1
        if !take("]") {
          closers.append(UInt8(ascii: "]"))
          continue
        }
      default: try skipScalar()
      }
      // What may follow a value: the ends of the things around it, or a comma.
      while let closer = closers.last {
        skipSpace()
        if peek() == closer {
          position += 1
          closers.removeLast()
        } else {
          try expect(",", as: "a comma")
          if closer == UInt8(ascii: "}") { try readName() }
          break
        }
      }
    } while !closers.isEmpty
  }

  private mutating func readName() throws {
    skipSpace()
    _ = try readString()
    try expect(":", as: "a colon")
  }

  private mutating func skipScalar() throws {
    for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return
    }
    _ = try readNumberText()
  }

  /// The characters of a number, by the grammar.
  private mutating func readNumberText() throws -> String {
    skipSpace()
    let start = position
    if peek() == UInt8(ascii: "-") { position += 1 }
    let whole = takeDigits()
    if whole == 0 || (whole > 1 && bytes[position - whole] == UInt8(ascii: "0")) {
      position = start
      throw problem("a number was expected")
    }
    if peek() == UInt8(ascii: ".") {
      position += 1
      if takeDigits() == 0 { throw problem("digits were expected") }
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      if takeDigits() == 0 { throw problem("digits were expected") }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func takeDigits() -> Int {
    let start = position
    while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
    return position - start
  }

  func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func advance() { position += 1 }

  mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar, as what: String) throws {
    guard take(character) else { throw problem("\(what) was expected") }
  }

  func problem(_ what: String) -> JSONProblem { JSONProblem(what: what, offset: position) }
}
