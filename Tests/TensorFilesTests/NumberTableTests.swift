import Testing

@testable import TensorFiles

@Suite("csv files")
struct NumberTableTests {
  private func read(_ text: String) throws -> [[Double]] {
    try withFolder { folder in
      try write(text, to: folder + "/x.csv")
      return try rows(readMatrix(path: folder + "/x.csv"))
    }
  }

  @Test("headers, quotes, spaces, empty lines and both line ends are understood")
  func forms() throws {
    let expected = [[1.0, -2.5], [3e-2, 4]]
    #expect(try read("1,-2.5\n3e-2,4\n") == expected)
    #expect(try read("1,-2.5\r\n3e-2,4") == expected)
    #expect(try read("\u{FEFF}x,y\n\n 1 ,\t-2.5\n   \n\"3e-2\",\"4\"\n\n") == expected)
    #expect(try read("\"a,b\",y\n1,-2.5\n3e-2,4\n") == expected)
    #expect(try read("a,b\n").isEmpty)
    #expect(try read("\n\n").isEmpty)
  }

  @Test("numbers that are not finite are handed on")
  func nonFinite() throws {
    let values = try read("nan,inf\n-inf,1e999\n")
    #expect(values[0][0].isNaN && values[0][1] == .infinity)
    #expect(values[1] == [-.infinity, .infinity])
  }

  @Test(
    "what is wrong is told with its line",
    arguments: [
      ("1,2\n3\n", "line 2: has 1 fields, but the lines before it have 2"),
      ("1,2\n\n3,4,5\n", "line 3: has 3 fields"),
      ("x,y\n1,2,3\n", "line 2: has 3 fields"),
      ("1,2\n3,four\n", #"line 2, column 2: "four" is not a number"#),
      ("1,2\n3,\n", "line 2, column 2: is empty"),
      ("1,2\n3,0x10\n", "line 2, column 2"),
      // A first line with some numbers is no header.
      ("1,two\n3,4\n", #"line 1, column 2: "two" is not a number"#),
      ("1,\"2\n3,4\n", "line 1, column 2"),
      (",0,1\n0,1,2\n", "line 1, column 1: is empty"),
      ("1;2\n3;4\n", #"line 2, column 1: "3;4" is not a number"#),
      ("1,2\n3,\u{0}\n", "line 2, column 2"),
      ("", "is empty"),
    ])
  func wrong(text: String, reason: String) {
    let message = refusal { _ = try read(text) }
    #expect(message.contains(reason), "\(message)")
  }

  @Test("a wide first line cannot make memory be taken for all lines")
  func wideFirstLine() {
    let wide = Array(repeating: "1", count: 100_000).joined(separator: ",")
    let text = wide + "\n" + String(repeating: "1\n", count: 100_000)
    #expect(refusal { _ = try read(text) }.contains("line 2: has 1 fields"))
  }

  @Test("a line without end is refused, not kept")
  func endlessLine() {
    let message = refusal { _ = try read(String(repeating: "1", count: LineReader.limit + 2)) }
    #expect(message.contains("line 1: is longer than"))
  }
}
