import Testing

@testable import PhotodbCommands

struct FormattingTests {
  @Test(arguments: [
    (0.0421, "42 ms"), (0.9999, "1.00 s"), (3.214, "3.21 s"), (125.4, "2:05 min"),
    (3723, "1:02:03 h"), (59.999, "1:00 min"), (-1, "–"), (.infinity, "–"), (.nan, "–"),
  ])
  func secondsHaveThePrecisionThatFits(seconds: Double, text: String) {
    #expect(Formatting.seconds(seconds) == text)
  }

  @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3_565_158, "3.4 MiB")])
  func bytesAreInBinaryUnits(bytes: Int, text: String) {
    #expect(Formatting.bytes(bytes) == text)
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (1_002_003, "1,002,003"), (-12_345, "-12,345"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func countsAreGrouped(count: Int, text: String) {
    #expect(Formatting.count(count) == text)
  }

  @Test func oneIsNotSeveral() {
    #expect(Formatting.count(1, "face") == "1 face")
    #expect(Formatting.count(0, "face") == "0 faces")
    #expect(Formatting.count(1_234, "face") == "1,234 faces")
  }

  @Test func namesOfOthersCommandNoTerminal() {
    let text = "\u{1B}[31mred\u{9B}\n写真\t\u{7}"
    #expect(Formatting.printable(text) == #"\u001B[31mred\u009B\u000A写真\u0009\u0007"#)
    #expect(Formatting.printable(text, lines: true) == "\\u001B[31mred\\u009B\n写真\t\\u0007")
  }

  @Test func tablesAreAlignedWithoutTrailingBlanks() {
    var table = TextTable([("NAME", .left), ("FACES", .right), ("NOTE", .left)])
    table.append(["Zoë", "3", ""])
    table.append(["Alexandra", "12,345", "new"])
    #expect(
      table.text == """
        NAME        FACES  NOTE
        Zoë             3
        Alexandra  12,345  new
        """)
  }
}
