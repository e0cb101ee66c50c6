import Logging
import Testing

@testable import PhotodbCommands

struct TerminalLogHandlerTests {
  @Test func aMessageIsOneLineWithItsValuesSorted() {
    let line = TerminalLogHandler.text(
      level: .warning, message: "slow", metadata: ["seconds": "3", "phase": "fit"])
    #expect(line == "photodb: warning: slow (phase=fit, seconds=3)")
  }

  @Test func withoutValuesThereAreNoBrackets() {
    #expect(
      TerminalLogHandler.text(level: .info, message: "done", metadata: [:]) == "photodb: info: done"
    )
  }
}
