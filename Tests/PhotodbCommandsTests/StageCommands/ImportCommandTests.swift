import ArgumentParser
import Testing

@testable import PhotodbCommands

@Suite struct ImportCommandTests {
  @Test(arguments: [
    ["import"], ["import", "a.npy", "--from-column", "t.c", "--id-column", "id"],
    ["import", "--from-column", "t.c"], ["import", "a.npy", "--id-column", "id"],
    ["import", "a.npy", "--photo-column", "p"],
  ])
  func oneSource(arguments: [String]) throws {
    let error = #expect(throws: (any Error).self) { try Photodb.parseAsRoot(arguments) }
    #expect(Ending(of: try #require(error)).code == 2)
  }

  @Test(arguments: ["", "a\u{1B}[2Jb", "a\0b", String(repeating: "x", count: 257)])
  func aModelThatIsNoNameIsWrongUsage(model: String) throws {
    let error = #expect(throws: (any Error).self) {
      try Photodb.parseAsRoot(["import", "a.npy", "--model", model])
    }
    let ending = Ending(of: try #require(error))
    #expect(ending.code == 2 && ending.error.hasPrefix("Error: --model "), "\(ending.error)")
    #expect(model.isEmpty || !ending.error.contains(model))
  }

  @Test func bothFormsOfATimeAreDocumented() {
    #expect(
      ImportCommand.configuration.discussion.contains("taken_at: ISO 8601 or Unix seconds"))
  }

  @Test func aColumnNeedsNoFile() throws {
    let command = try Photodb.parseAsRoot([
      "import", "--from-column", "s.t.c", "--id-column", "id", "--photo-column", "p",
    ])
    let parsed = try #require(command as? ImportCommand)
    #expect(parsed.file == nil && parsed.fromColumn == "s.t.c" && parsed.photoColumn == "p")
  }
}
