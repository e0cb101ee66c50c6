import Testing

@testable import TensorFiles

@Suite("jsonl files")
struct DetectionLinesTests {
  private func read(_ text: String) throws -> (rows: [DetectionLine], rejected: [Int: String]) {
    try withFolder { folder in
      let path = folder + "/x.jsonl"
      try write(text, to: path)
      var rows: [DetectionLine] = []
      var rejected: [Int: String] = [:]
      try readDetectionLines(path: path) {
        rows.append($0)
      } rejected: {
        rejected[$0] = $1
      }
      return (rows, rejected)
    }
  }

  @Test("a full row and a bare one are read")
  func rows() throws {
    let (rows, rejected) = try read(
      """
      {"photo":"IMG_1","external_id":17,"embedding":[0.1,-2,3e1],"bbox":[1,2,3.5,4],\
      "confidence":0.75,"taken_at":"2024-05-31T18:04:09+02:00","more":{"a":[1,{"b":null}]}}

      {"embedding":[1], "photo":null}
      """)
    #expect(rejected.isEmpty)
    #expect(
      rows == [
        DetectionLine(
          line: 1, photo: "IMG_1", externalID: "17", embedding: [0.1, -2, 30],
          box: [1, 2, 3.5, 4], confidence: 0.75, takenAt: 1_717_171_449),
        DetectionLine(line: 3, embedding: [1]),
      ])
  }

  @Test("a time may be seconds since 1970")
  func unixTime() throws {
    let (rows, _) = try read(#"{"embedding":[1],"taken_at":1717171449.5}"#)
    #expect(rows.map(\.takenAt) == [1_717_171_449.5])
  }

  static let bad: [(line: String, reason: String)] = [
    (#"{"embedding":[1,NaN]}"#, "a number was expected (column 17)"),
    (#"{"embedding":[1e99]}"#, "too large"),
    (#"{"embedding":[]}"#, "has no embedding"),
    (#"{"photo":"a"}"#, "has no embedding"),
    (#"{"embedding":[1]"#, "end of an object was expected"),
    (#"{"embedding":[1]} x"#, "something follows"),
    (#"{"embedding":[1],"embedding":[2]}"#, "occurs twice"),
    (#"{"embedding":[1],"bbox":[1,2,3]}"#, "bbox has 3 numbers"),
    (#"{"embedding":[1],"bbox":[1,2,-3,4]}"#, "negative size"),
    (#"{"embedding":[1],"taken_at":"yesterday"}"#, "is not an ISO 8601 time"),
    (#"{"embedding":[1],"photo":1.5}"#, "1.5 is not a whole number"),
    (#"{"embedding":[1],"photo":""}"#, "an identifier is empty"),
    (#"{"embedding":[1],"photo":"a\u0000"}"#, "zero character"),
    (#"{"embedding":[1],"photo":"\ud800"}"#, "half a surrogate pair"),
    (#"{"embedding":[1],"x":tru}"#, "a number was expected"),
    (#"{"embedding":"AAAA"}"#, "an array was expected"),
    ("[1]", "an object was expected"),
    ("nonsense", "an object was expected"),
  ]

  @Test("a bad line rejects itself alone, with its number and the reason", arguments: bad)
  func rejected(line: String, reason: String) throws {
    let good = #"{"embedding":[1]}"#
    let (rows, rejected) = try read("\(good)\n\(line)\n\(good)\n")
    #expect(rows.map(\.line) == [1, 3])
    #expect(rejected.keys.sorted() == [2])
    #expect(rejected[2]?.contains(reason) == true, "\(rejected[2] ?? "")")
  }

  @Test("bytes that are not UTF-8 and a line without end reject themselves")
  func bytes() throws {
    try withFolder { folder in
      let path = folder + "/x.jsonl"
      let good = Array(#"{"embedding":[1]}"#.utf8) + [0x0A]
      let invalid = Array(#"{"embedding":[1],"photo":""#.utf8) + [0xFF] + Array("\"}\n".utf8)
      let endless = [UInt8](repeating: 0x31, count: LineReader.limit + 1) + [0x0A]
      try AtomicFile.write(good + invalid + endless + good, to: path)
      var rows: [Int] = []
      var rejected: [Int] = []
      try readDetectionLines(path: path) {
        rows.append($0.line)
      } rejected: { line, _ in
        rejected.append(line)
      }
      #expect(rows == [1, 4])
      #expect(rejected == [2, 3])
    }
  }

  @Test("deep nesting is read over without recursion")
  func deep() throws {
    let deep = String(repeating: #"{"a":["#, count: 100_000)
    let (rows, rejected) = try read(#"{"embedding":[1],"x":\#(deep)"#)
    #expect(rows.isEmpty && rejected.count == 1)
  }

  @Test(
    "times of ISO 8601",
    arguments: [
      ("1970-01-01", 0.0), ("1970-01-01T00:00:01Z", 1), ("2000-02-29 12:00", 951_825_600),
      ("1969-12-31T23:59:59.5Z", -0.5), ("2024-05-31T18:04:09.25-0330", 1_717_191_249.25),
      ("0001-01-01", -62_135_596_800), ("2016-12-31T23:59:60Z", 1_483_228_800),
    ])
  func times(text: String, seconds: Double) { #expect(unixSeconds(ofISO8601: text) == seconds) }

  @Test(
    "what is no time",
    arguments: [
      "", "2024", "2024-13-01", "2023-02-29", "2024-01-00", "2024-01-01T", "2024-01-01T25:00",
      "2024-01-01T10:60", "2024-01-01T10:00:00+", "2024-01-01T10:00:00.Z", "2024-01-01T10:00Zx",
      "２０２４-01-01", "2024-01-01T10:00:00+25:00", "0000-01-01",
    ])
  func noTimes(text: String) { #expect(unixSeconds(ofISO8601: text) == nil) }
}
