import Foundation
import TensorFiles
import Testing
import Vectors

/// What the demo may do to data that is there, and what it says at its end.
@Suite("photodb demo", .serialized)
struct DemoTests {
  @Test("every line after “try next” works in a shell that stands in the same folder")
  func tryNext() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let demo = try await photodb.run("demo")
      let start = try #require(demo.output.firstRange(of: "try next, in this folder:"))
      let commands = demo.output[start.upperBound...].split(separator: "\n")
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.first != "#" }
      #expect(commands.count == 5, "\(demo.output.suffix(1500))")
      for command in commands {
        let outcome = try await photodb.shell(command)
        #expect(outcome.code == 0, "\(command): \(outcome.error)")
        #expect(!outcome.output.isEmpty, "\(command)")
      }
      // The same folder was meant: the name that the first line gave is there.
      let people = try await photodb.run("person", "list", "--collection", "demo")
      #expect(people.output.contains("Ada"))
    }
  }

  @Test("two demos at once: one of them is told so, in one line")
  func twoAtOnce() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      _ = try await photodb.run("db", "start")
      async let first = photodb.run("demo", "--quiet", "--json")
      async let second = photodb.run("demo", "--quiet", "--json")
      let outcomes = try await [first, second].sorted { $0.code < $1.code }
      #expect(outcomes.map(\.code) == [0, 1], "\(outcomes.map(\.error))")
      #expect(outcomes[1].error.contains("another `photodb demo` is at work"))
      #expect(outcomes[1].error.split(separator: "\n").count == 1)
    }
  }

  @Test("a collection demo that holds faces of the user is not replaced")
  func usersData() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      _ = try await photodb.json("demo")
      let again = try await photodb.run("demo")
      #expect(again.error.contains("collection “demo” of an earlier demo (6,410 faces"))
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 2, each: 3)), to: photodb.folder + "/mine.npy")
      _ = try await photodb.json("import", "mine.npy", "--collection", "demo")
      let refused = try await photodb.run("demo", "--quiet")
      #expect(refused.code == 1)
      #expect(refused.error.contains("faces that the demo did not bring: 6"), "\(refused.error)")
      let csv = try await photodb.run("export", "assignments", "--collection", "demo")
      #expect(csv.output.contains("mine.npy:0"))
    }
  }

  @Test("a server of the user is not migrated")
  func foreignServer() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      _ = try await photodb.run("db", "start")
      // The private server's own URL, named: now it is the user's.
      let url = try await photodb.run("db", "url").output.trimmingCharacters(in: .newlines)
      let demo = try await photodb.run("demo", "--quiet", "--database", url)
      #expect(demo.code == 1)
      #expect(demo.error.contains("run `photodb migrate`"), "\(demo.error)")
      let migration = try await photodb.json("migrate", "--dry-run", "--database", url)
      #expect((migration["pending"] as? [Any])?.isEmpty == false)
    }
  }
}
