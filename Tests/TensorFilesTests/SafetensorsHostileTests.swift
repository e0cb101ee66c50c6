import Testing

@testable import TensorFiles

@Suite("hostile safetensors files")
struct SafetensorsHostileTests {
  @Test("a file cut at any byte is refused")
  func truncated() throws {
    let bytes = try fixtureBytes("python.safetensors")
    for length in 0..<bytes.count {
      let text = refusal { _ = try SafetensorsFile(bytes: Array(bytes[..<length])) }
      #expect(text.contains("truncated"), "\(length) bytes: \(text)")
    }
    #expect(refusal { _ = try SafetensorsFile(bytes: bytes + [0]) }.contains("damaged"))
  }

  @Test(
    "a header's length is refused before it is believed",
    arguments: [UInt64(1) << 63, .max, 100_000_001, 1 << 40, 1 << 62])
  func hugeHeader(length: UInt64) {
    var bytes: [UInt8] = []
    append(length, to: &bytes)
    let text = refusal { _ = try SafetensorsFile(bytes: bytes + Array("{}".utf8)) }
    #expect(text.contains("claims \(length) bytes"))
  }

  static let headers: [(header: String, payload: Int, reason: String)] = [
    (#" {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1, "does not start with {"),
    ("[]", 0, "does not start with {"),
    ("", 0, "does not start with {"),
    ("{", 0, "a string was expected"),
    ("{}x", 0, "something follows the end"),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}"#, 1, "takes 2 bytes by its shape"),
    (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}"#, 1, "-1 is negative"),
    (#"{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,1]}}"#, 1, "a number was expected"),
    (#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1, "1.0 is not a whole number"),
    (#"{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}"#, 1, "1e0 is not a whole number"),
    (#"{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}"#, 1, "a number was expected"),
    (#"{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}"#, 1, "a number was expected"),
    (
      #"{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}"#, 1,
      "9223372036854775808 is not a whole number"
    ),
    (
      #"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#, 8,
      "too large for any file"
    ),
    (
      #"{"a":{"dtype":"F64","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}}"#, 0,
      "too large for any file"
    ),
    (
      #"{"a":{"dtype":"F64","shape":[2305843009213693951],"data_offsets":[0,8]}}"#, 8,
      "too large for any file"
    ),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#, 1, "its offsets are 1 and 0"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}"#, 1, "-1 is negative"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, 1, "lacks"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}"#, 1, "lacks"),
    (#"{"a":{"dtype":"U8","data_offsets":[0,1]}}"#, 1, "lacks"),
    (#"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8, #"unknown type "C64""#),
    (#"{"a":{"dtype":5,"shape":[1],"data_offsets":[0,1]}}"#, 1, "a string was expected"),
    (#"{"a":5}"#, 0, "an object was expected"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "starts at byte 1"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 0, "truncated"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 2, "damaged"),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, #"the name "a" occurs twice"#
    ),
    (
      #"{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1,
      #"the name "dtype" occurs twice"#
    ),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
        + #""b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, "tensor b: starts at byte 1"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#, 3, "tensor b: starts at byte 2"
    ),
    (#"{"__metadata__":{"a":1}}"#, 0, "a string was expected"),
    (#"{"__metadata__":{"a":"1","a":"2"}}"#, 0, #"the name "a" occurs twice"#),
    (#"{"__metadata__":[]}"#, 0, "an object was expected"),
    ("{\"\u{1}\":{}}", 0, "control character"),
    (#"{"a\u000ab":{"shape":[1]}}"#, 0, #"tensor "a\nb" lacks"#),
  ]

  @Test("a header that says something impossible is refused with the reason", arguments: headers)
  func impossible(header: String, payload: Int, reason: String) {
    let text = refusal {
      _ = try SafetensorsFile(bytes: safetensors(header: header, payload: payload), name: "x")
    }
    #expect(text.contains(reason), "\(text)")
    #expect(text.hasPrefix("x: "))
  }

  @Test("deep nesting in an unknown member is read over without recursion")
  func deepNesting() throws {
    let deep = String(repeating: "[", count: 1_000_000) + String(repeating: "]", count: 1_000_000)
    let entry = #"{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":\#(deep)}"#
    let file = try SafetensorsFile(bytes: safetensors(header: #"{"a":\#(entry)}"#, payload: 1))
    #expect(try file.bytes("a") == [0])
  }

  @Test("rows without columns and narrow rows above the limit take no memory")
  func blownUp() throws {
    let empty = safetensors(
      header: #"{"embeddings":{"dtype":"F32","shape":[1099511627776,0],"data_offsets":[0,0]}}"#)
    #expect(
      refusal { _ = try SafetensorsFile(bytes: empty).matrix("embeddings") }
        .contains("1099511627776 rows of no columns"))
    // One column takes 64 bytes a row in memory.
    let narrow = safetensors(
      header: #"{"embeddings":{"dtype":"F32","shape":[1000,1],"data_offsets":[0,4000]}}"#,
      payload: 4000)
    let text = refusal {
      _ = try SafetensorsFile(bytes: narrow, limit: 63_999).matrix("embeddings")
    }
    #expect(text.contains("limit of 63999 bytes"))
    #expect(try SafetensorsFile(bytes: narrow, limit: 64_000).matrix("embeddings").rows == 1000)
    let wide = safetensors(
      header: #"{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#)
    #expect(refusal { _ = try SafetensorsFile(bytes: wide).matrix("a") }.contains("limit"))
  }

  @Test("unsigned numbers above 2^63 are refused, not wrapped")
  func unsigned() throws {
    let file = try SafetensorsFile(
      bytes: safetensors(header: #"{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#)
        + [UInt8](repeating: 255, count: 8))
    #expect(refusal { _ = try file.integers("a") }.contains("18446744073709551615"))
  }
}
