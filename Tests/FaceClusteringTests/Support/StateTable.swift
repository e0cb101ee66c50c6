import Foundation
import PostgresClient
import Store
import Testing

/// The table of docs/states.md: what a face can become, and through whom.
struct StateTable {
  /// A column of the table.
  enum Actor: Int, CaseIterable {
    case assign = 1
    case force, pool, bootstrap, human, again
  }

  /// To each status the statuses that follow; `NULL` stands for none.
  private(set) var ways: [Actor: [String: Set<String>]] = [:]

  /// Reads the table as people do.
  init() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/states.md").standardized
    let lines = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n")
    let head = try #require(lines.firstIndex { $0.hasPrefix("| from | by assign |") })
    for line in lines[(head + 2)...].prefix(while: { $0.hasPrefix("|") }) {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }
      for from in cells[0].components(separatedBy: ", ") {
        for actor in Actor.allCases {
          for word in cells[actor.rawValue].components(separatedBy: ", ") where !word.isEmpty {
            ways[actor, default: [:]][from, default: []].formUnion(targets(word, actor))
          }
        }
      }
    }
  }

  private func targets(_ word: String, _ actor: Actor) -> Set<String> {
    switch word {
    case "the same": ways[.assign]?["NULL"] ?? []
    case "as above": ways[actor]?["NULL"] ?? []
    case "manual elsewhere": ["manual"]
    default: [word]
    }
  }

  /// Whether an event's way is one of the table.
  func allows(from: String, to: String, tier: String) -> Bool {
    let actors: [Actor]
    switch tier {
    case "predict", "epsilon_ball", "pool": actors = [.assign, .force, .pool]
    case "bootstrap": actors = [.bootstrap]
    case "again": actors = [.again]
    // The reason may have been found by any of them.
    case "invalid": actors = [.assign, .force, .pool, .bootstrap]
    // A cluster of the pool, found by maintenance: as a bootstrap, or the pool, would.
    case "emerging": actors = [.pool, .bootstrap]
    case "manual":
      // A split carries a face into another cluster and changes nothing else.
      if from == to { return true }
      actors = [.human]
    // Goes back to what was before a human acted.
    case "undo": return true
    case "activate": return from != "manual" && from != "invalid" && to != "manual"
    default: return false
    }
    return actors.contains { ways[$0]?[from]?.contains(to) ?? false }
  }

  /// Ways that faces of a collection went and that are not in the table, and steps that no event
  /// tells of.
  func violations(in test: TestStage) async throws -> [String] {
    let events = try await test.pool.query(
      """
      SELECT coalesce(old_status, 'NULL'), coalesce(new_status, 'NULL'), tier, count(*),
        min(detection_id), coalesce(old_status, 'NULL') = previous AS follows
      FROM (SELECT *, coalesce(lag(new_status) OVER (PARTITION BY detection_id ORDER BY id), 'NULL')
          AS previous
        FROM assignment_event WHERE collection_id = $1) e
      GROUP BY 1, 2, 3, 6 ORDER BY 1, 2, 3
      """, [.int64(test.collection.id)])
    return try events.flatMap { row -> [String] in
      let (from, to, tier) = (try row.text(0), try row.text(1), try row.text(2))
      let what =
        "\(from) → \(to) by \(tier), \(try row.int64(3)) times, such as detection \(try row.int64(4))"
      return (allows(from: from, to: to, tier: tier) ? [] : ["not in the table: \(what)"])
        + (try row.bool(5) ? [] : ["before this came a step without event: \(what)"])
    }
  }
}

@Suite struct StateTableTests {
  @Test func theTableIsReadWhole() throws {
    let table = try StateTable()
    let statuses = Set(DetectionStatus.allCases.map(\.rawValue) + ["NULL"])
    for actor in StateTable.Actor.allCases {
      let ways = try #require(table.ways[actor])
      #expect(Set(ways.keys).union(ways.values.flatMap { $0 }).isSubset(of: statuses))
    }
    // Terminal for algorithms, and what only people may leave.
    for status in ["manual", "invalid"] {
      #expect(table.ways[.human]?[status] != nil)
      for actor in StateTable.Actor.allCases where actor != .human {
        #expect(table.ways[actor]?[status] == nil)
      }
    }
    #expect(table.ways[.bootstrap]?["auto"]?.contains("NULL") == true)
    #expect(!table.allows(from: "manual", to: "auto", tier: "predict"))
    #expect(!table.allows(from: "hdbscan", to: "auto", tier: "predict"))
  }
}
