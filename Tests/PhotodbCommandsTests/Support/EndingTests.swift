import ArgumentParser
import FaceClustering
import Testing

@testable import PhotodbCommands

struct EndingTests {
  private func ending(parsing arguments: [String]) throws -> Ending {
    let error = #expect(throws: (any Error).self) {
      var command = try Photodb.parseAsRoot(arguments)
      try command.run()
    }
    return Ending(of: try #require(error))
  }

  @Test func wrongUsageEndsWithTwo() throws {
    let ending = try ending(parsing: ["config", "--no-such-option"])
    #expect(ending.code == 2)
    #expect(ending.error.hasPrefix("Error: Unknown option '--no-such-option'"))
    #expect(ending.error.contains("Usage: photodb config"))
    #expect(ending.output.isEmpty)
  }

  @Test func contradictingFlagsAreWrongUsage() throws {
    let ending = try ending(parsing: ["config", "--verbose", "--quiet"])
    #expect(ending.code == 2)
    #expect(ending.error.contains("--verbose and --quiet exclude each other."))
  }

  @Test(arguments: [
    ["worker", "--all", "--collection", "a"], ["check-staleness", "--collection", "a", "--all"],
    ["maintain", "daily", "--all", "--collection", "default"],
  ])
  func aCollectionThatWouldBeIgnoredIsWrongUsage(arguments: [String]) throws {
    let ending = try ending(parsing: arguments)
    #expect(ending.code == 2)
    #expect(ending.error.contains("--all and --collection exclude each other."))
  }

  @Test func threadsBeyondAnyMachineAreWrongUsage() throws {
    let ending = try ending(parsing: ["worker", "--threads", "99999999"])
    #expect(ending.code == 2 && ending.error.contains("--threads must be 1…1024, not 99999999."))
  }

  @Test(arguments: ["lease", "poll", "attempts", "batch", "threads"])
  func aNegativeNumberOfAWorkerIsOutOfRangeAndNotMissing(option: String) throws {
    let ending = try ending(parsing: ["worker", "--\(option)", "-1"])
    #expect(ending.code == 2)
    #expect(ending.error.hasPrefix("Error: --\(option) must be "), "\(ending.error)")
  }

  @Test func helpOnWhatDoesNotExistIsWrongUsage() {
    for words in [["help", "nope"], ["help", "person", "nope"]] {
      let failure = unknownTopic(ofHelp: words)
      #expect(failure?.code == 2)
      #expect(failure?.description.contains("no command “nope”") == true)
    }
    for words in [
      ["help"], ["help", "import"], ["help", "person", "list"], ["help", "import", "FILE"],
      ["help", "help"], ["help", "--help"], ["import", "nope"], [],
    ] {
      #expect(unknownTopic(ofHelp: words) == nil, "\(words)")
    }
  }

  @Test func aNegativeNumberIsNamedAndNotTheArgumentBesideIt() {
    for words in [["person", "name", "-1", "Ada"], ["undo", "-12"]] {
      let failure = negativeNumber(in: words)
      #expect(failure?.code == 2)
      #expect(failure?.description.contains("is no id") == true)
    }
    for words in [
      ["person", "name", "1", "Ada"], ["detection", "assign", "--cluster", "-1"],
      ["person", "name", "1", "--", "-5"], ["demo", "-x"], [],
    ] {
      #expect(negativeNumber(in: words) == nil, "\(words)")
    }
  }

  @Test func helpIsNoError() throws {
    let ending = try ending(parsing: ["--help"])
    #expect(ending.code == 0)
    #expect(ending.error.isEmpty)
    #expect(ending.output.contains("USAGE: photodb <subcommand>"))
  }

  @Test func failuresAreOneLineAndEndWithOne() {
    let ending = Ending(of: CommandFailure("faces.npy: truncated\n  at byte 12"))
    #expect(ending.code == 1)
    #expect(ending.error == "photodb: error: faces.npy: truncated at byte 12")
  }

  @Test func aCommandMayChooseItsCode() {
    let ending = Ending(of: ExitCode(3))
    #expect(ending.code == 3)
    #expect(ending.error.isEmpty && ending.output.isEmpty)
  }

  @Test func aReaderThatWentAwayIsNoFailure() {
    #expect(Ending(of: OutputClosed()).code == 0)
  }

  @Test func aSignalIsAnEndingOfItsOwn() {
    let ending = Ending(of: CancellationError(), stoppedBy: 15)
    #expect(ending.code == 143)
    #expect(ending.error.hasPrefix("photodb: stopped by SIGTERM: "))
    let run = Ending(
      of: BootstrapError.cancelled(run: 7, collection: "demo"), stoppedBy: 2)
    #expect(run.code == 130)
    #expect(
      run.error
        == "photodb: stopped by SIGINT: run 7 of collection “demo” was cancelled; nothing was changed"
    )
  }

  @Test func aWrongSettingEndsWithTwo() {
    #expect(Ending(of: CommandFailure("MIN_EPSILON is 7", code: 2)).code == 2)
  }
}
