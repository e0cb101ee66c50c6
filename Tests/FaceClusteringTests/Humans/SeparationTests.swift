import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// A person that people took apart stays apart.
  @Suite struct SeparationTests {
    /// Two clusters that a run with a larger smallest cluster takes for one.
    @Test(arguments: [false, true])
    func whatWasTakenApartNoRunJoins(separated: Bool) async throws {
      try await TestStage.run(dimension: 4) { test in
        var settings = StageSettings()
        settings.clusterExtraction = .density
        let fine = try await test.reopened(settings: settings)
        settings.minClusterSize = 7
        let coarse = try await test.reopened(settings: settings)
        _ = try await fine.stage.importFaces(
          Circle.file(
            [0.0, 8].flatMap { Circle.person(at: $0) }
              + [120.0, 240].flatMap { Circle.person(at: $0, count: 8) }))
        _ = try await fine.stage.bootstrap()
        let first = try await fine.faces()
        let one = try #require(first["face-0"]?.personID)
        let other = try #require(first["face-6"]?.personID)
        #expect(one != other)
        if separated {
          _ = try await test.stage.merge(persons: [other], into: one)
          _ = try await test.stage.separate(person: one)
        }
        for stage in [coarse.stage, fine.stage, coarse.stage] {
          _ = try await stage.bootstrap()
          let faces = try await test.faces()
          let halves = [0..<6, 6..<12].map { half in
            Set(half.map { faces["face-\($0)"]?.personID })
          }
          if separated { #expect(halves.allSatisfy { $0.count == 1 } && halves[0] != halves[1]) }
        }
        let joined = try await test.faces()
        #expect((joined["face-0"]?.personID == joined["face-6"]?.personID) != separated)
        if separated {
          _ = try await test.stage.undo()
          #expect(try await test.value("SELECT count(*) FROM cluster WHERE anchored") == "0")
          #expect(try await test.faces()["face-6"]?.personID == one)
        }
        try await test.expectInvariants()
      }
    }
  }
}
