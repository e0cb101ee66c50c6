import FaceClustering
import Foundation
import Store
import TestSupport
import Testing
import Vectors

extension OnPostgres {
  /// What everybody does at once in ``SoakTests``, one after another: what must hold holds after each step,
  /// and a story that broke something can be told again.
  @Suite struct StoryTests {
    /// Some more with every minute of `scripts/soak`.
    static let seeds = 1...max(3, UInt64(soakSeconds / 6))

    @Test(arguments: seeds) func everyStepKeepsWhatMustHold(seed: UInt64) async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        let place = try await SoakPlace.open(pool)
        var random = SplitMix64(state: seed)
        var story: [String] = []
        let writers = SoakPlace.writers.filter { $0.name != "cut connections" }
        for _ in 0..<60 {
          guard let tenant = place.tenants.randomElement(using: &random),
            // People do as much as programs.
            let writer = Bool.random(using: &random)
              ? writers.filter({ $0.name.hasPrefix("person") })
                .randomElement(using: &random) : writers.randomElement(using: &random)
          else { continue }
          do {
            _ = try await writer.act(place, tenant, &random)
          } catch  where SoakTests.isExpected(error) {
          } catch {
            Issue.record("\(writer.name): \(error)\n\(story.joined(separator: "\n"))")
            return
          }
          let last = try await tenant.stage.actions(limit: 1).first
          let done = last.map { "\($0.id) \($0.kind): \($0.summary)" } ?? "nothing by people"
          story.append("\(tenant.collection.name) \(writer.name) (\(done))")
          let violations = try await InvariantChecker(tenant.collection).violations(in: pool)
          #expect(violations == [], "seed \(seed): \(story.joined(separator: "\n"))")
          if !violations.isEmpty { return }
        }
        try await SoakTests.checkPeople(place)
      }
    }
  }
}
