import ArgumentParser
import Testing

@testable import PhotodbCommands

/// What every command has in common.
@Suite("Every command")
struct HelpTests {
  /// All commands that do something, with the words that call them.
  private static let leaves: [(words: [String], command: any ParsableCommand.Type)] = {
    var leaves: [(words: [String], command: any ParsableCommand.Type)] = []
    var open = Photodb.subcommands.map { ([name($0)], $0) }
    while let (words, command) = open.popLast() {
      let below = command.configuration.subcommands
      if below.isEmpty { leaves.append((words, command)) }
      open += below.map { (words + [name($0)], $0) }
    }
    return leaves
  }()

  private static func name(_ command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? command._commandName
  }

  @Test("has help with a description and an example, and knows --json")
  func help() {
    #expect(Self.leaves.count >= 20)
    for (words, command) in Self.leaves {
      let text = Photodb.helpMessage(for: command, columns: 100)
      #expect(text.contains("Example: "), "\(words)")
      #expect(text.contains("--json"), "\(words)")
      #expect(!command.configuration.abstract.isEmpty, "\(words)")
    }
  }

  @Test("ends wrong usage with 2")
  func usage() throws {
    for (words, _) in Self.leaves {
      let error = #expect(throws: (any Error).self) {
        _ = try Photodb.parseAsRoot(words + ["--no-such-option"])
      }
      #expect(Ending(of: try #require(error)).code == 2, "\(words)")
    }
  }

  @Test("completes in three shells", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) {
    let script = Photodb.completionScript(for: CompletionShell(rawValue: shell) ?? .bash)
    for (words, _) in Self.leaves {
      #expect(script.contains(words[words.count - 1]), "\(words)")
    }
  }
}
