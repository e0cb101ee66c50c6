import FaceClustering
import Store
import Testing

extension TestStage {
  /// Four people with six faces each, `face-0` to `face-23`, after a first run; what must hold holds afterwards.
  static func runFourPeople(
    _ body: (TestStage, [String: AssignmentRow]) async throws -> Void
  ) async throws {
    try await run(dimension: 4) { test in
      _ = try await test.stage.importFaces(
        Circle.file([0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }))
      _ = try await test.stage.bootstrap()
      try await body(test, try await test.faces())
      try await test.expectInvariants()
    }
  }

  /// An action that cannot be taken back, and says so with these words.
  func expectNoUndo(
    of action: Int64?, saying what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let error = await #expect(throws: HumanActionError.self, sourceLocation: sourceLocation) {
      try await stage.undo(action: action)
    }
    let message = try #require(error, sourceLocation: sourceLocation).description
    #expect(message.contains(what), "\(message)", sourceLocation: sourceLocation)
  }
}
