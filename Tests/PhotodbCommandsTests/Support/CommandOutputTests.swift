import Testing

@testable import PhotodbCommands

struct CommandOutputTests {
  private struct Report: Encodable {
    var runID = 7
    var clusterCount = 3
    var lambda: Double
    var path = "a/b"
    var absent: Int?
  }

  @Test func keysAreSortedAndInSnakeCase() throws {
    #expect(
      try CommandOutput.encode(Report(lambda: 0.1))
        == #"{"cluster_count":3,"lambda":0.1,"path":"a/b","run_id":7}"#)
  }

  @Test(arguments: [
    (Double.infinity, "Infinity"), (-Double.infinity, "-Infinity"), (Double.nan, "NaN"),
  ])
  func numbersWithoutAFormInJSONAreStrings(value: Double, text: String) throws {
    #expect(try CommandOutput.encode(["lambda": value]) == #"{"lambda":"\#(text)"}"#)
  }

  @Test func keysOfDictionariesStayAsTheyAre() throws {
    #expect(try CommandOutput.encode(["MIN_EPSILON": 1, "aB": 2]) == #"{"MIN_EPSILON":1,"aB":2}"#)
  }
}
