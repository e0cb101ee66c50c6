extension JSONScanner {
  /// Reads a string: valid UTF-8, no control characters, escapes decoded.
  mutating func readString() throws -> String {
    skipSpace()
    guard peek() == UInt8(ascii: "\"") else { throw problem("a string was expected") }
    let opening = position
    advance()
    var text: [UInt8] = []
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        advance()
        guard let string = String(validating: text, as: UTF8.self) else {
          throw JSONProblem(what: "a string is not valid UTF-8", offset: opening)
        }
        return string
      case UInt8(ascii: "\\"):
        advance()
        text.append(contentsOf: String(try readEscape()).utf8)
      case 0..<0x20: throw problem("a control character stands in a string")
      default:
        text.append(byte)
        advance()
      }
    }
    throw JSONProblem(what: "a string does not end", offset: opening)
  }

  /// What follows a backslash.
  private mutating func readEscape() throws -> Character {
    guard let byte = peek() else { throw problem("an escape does not end") }
    advance()
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try readUnicode()
    default: throw problem("an unknown escape stands in a string")
    }
  }

  /// The four digits after `\u`, and the second half where they are the first of a pair.
  private mutating func readUnicode() throws -> Character {
    var code = try readFourDigits()
    if (0xD800..<0xDC00).contains(code), bytes[position...].starts(with: #"\u"#.utf8) {
      advance()
      advance()
      let low = try readFourDigits()
      guard (0xDC00..<0xE000).contains(low) else { throw problem("half a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair") }
    return Character(scalar)
  }

  private mutating func readFourDigits() throws -> UInt32 {
    guard position + 4 <= bytes.count,
      bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw problem("four hexadecimal digits were expected") }
    for _ in 0..<4 { advance() }
    return code
  }
}

/// Appends `text` as a JSON string.
func appendJSON(_ text: String, to bytes: inout [UInt8]) {
  bytes.append(UInt8(ascii: "\""))
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
    case UInt8(ascii: "\n"): bytes += Array(#"\n"#.utf8)
    case UInt8(ascii: "\r"): bytes += Array(#"\r"#.utf8)
    case UInt8(ascii: "\t"): bytes += Array(#"\t"#.utf8)
    case 0..<0x20:
      let digits = String(byte, radix: 16)
      bytes += Array((#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
    default: bytes.append(byte)
    }
  }
  bytes.append(UInt8(ascii: "\""))
}
