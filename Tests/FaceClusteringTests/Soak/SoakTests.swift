import FaceClustering
import Foundation
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing

extension OnPostgres {
  /// Everybody at once: for a few seconds here, for as long as `scripts/soak` says there.
  @Suite(.timeLimit(.minutes(600))) struct SoakTests {
    /// How long to go on, in seconds.
    static let seconds =
      (ProcessInfo.processInfo.environment["PHOTODB_SOAK_MINUTES"].flatMap(Double.init) ?? 0.1) * 60

    /// What the test remembers of what people said.
    private final class Memory: Sendable {
      struct Said {
        var manual: [String: Int64] = [:]
        var names: [Int64: String] = [:]
      }
      let said = Mutex(Said())
      let faces = Atomic(0)
      let done = Mutex<[String: Int]>([:])
    }

    /// One kind of writer; more kinds are more rows in ``writers``.
    private struct Writer: Sendable {
      let name: String
      let act: @Sendable (TestStage, Memory, inout SeededGenerator) async throws -> Void
    }

    private static let writers: [Writer] = [
      Writer(name: "import") { test, memory, random in
        let first = memory.faces.add(8, ordering: .relaxed).oldValue
        var file = Circle.file(
          (0..<8).map { _ in
            Bool.random(using: &random)
              ? 72 * Double(Int.random(in: 0..<5, using: &random))
                + Double(Int.random(in: -12...12, using: &random))
              : Double(Int.random(in: 0..<360, using: &random))
          })
        for index in file.faces.indices {
          file.faces[index].externalID = "f\(first + index)"
          file.faces[index].photo = "p\((first + index) * 2 / 3)"
        }
        _ = try await test.stage.importFaces(file)
      },
      Writer(name: "assign") { test, _, random in
        _ = try await test.stage.assign(batchSize: Int.random(in: 1...20, using: &random))
      },
      Writer(name: "force") { test, _, _ in
        _ = try await test.stage.assign(force: true, batchSize: 50)
      },
      Writer(name: "bootstrap") { test, _, _ in
        do {
          _ = try await test.stage.bootstrap()
        } catch BootstrapError.nothingToFit {
          // Nothing was imported yet.
        }
      },
      Writer(name: "by hand") { test, memory, random in
        let faces = try await sample(test, &random)
        guard let face = faces.first, let target = faces.last?.clusterID else { return }
        do {
          let placed = try await test.stage.assign(
            externalID: face.externalID, to: .cluster(target), anyway: true)
          memory.said.withLock { $0.manual[face.externalID] = placed.clusterID }
        } catch HumanActionError.retired {
          // A bootstrap, or maintenance, was faster.
        } catch let error as PostgresError {
          // It may have happened or not: whoever asked does not know either.
          memory.said.withLock { $0.manual[face.externalID] = nil }
          throw error
        }
      },
      Writer(name: "name") { test, memory, random in
        guard let person = try await sample(test, &random).compactMap(\.personID).first else {
          return
        }
        _ = try await test.stage.name(person: person, "P\(person)")
        memory.said.withLock { $0.names[person] = "P\(person)" }
      },
      Writer(name: "maintain") { test, _, _ in
        let report = try await test.stage.maintain(MaintenanceTask.allCases)
        for task in report.tasks { #expect(task.error == nil, "\(task.task)") }
      },
      Writer(name: "delete") { test, memory, random in
        guard let face = try await sample(test, &random).first(where: { $0.status != "manual" })
        else { return }
        // A human may take it at this moment; then what was said goes with the face.
        _ = try await test.stage.deleteFaces(externalIDs: [face.externalID])
        memory.said.withLock { $0.manual[face.externalID] = nil }
      },
      Writer(name: "cut connections") { test, _, _ in
        try await Task.sleep(for: .milliseconds(300))
        try await test.pool.query(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.2
          """)
      },
    ]

    /// Some faces that have a cluster, by chance.
    private static func sample(
      _ test: TestStage, _ random: inout SeededGenerator
    ) async throws -> [(
      detectionID: Int64, externalID: String, status: String?, clusterID: Int64?, personID: Int64?
    )] {
      try await test.pool.query(
        """
        SELECT id, external_id, cluster_status, cluster_id, person_id FROM person_detection
        WHERE cluster_id IS NOT NULL ORDER BY md5(id::text || $1::text) LIMIT 2
        """, [.text("\(random.next())")]
      ).map {
        (
          try $0.int64(0), try $0.text(1), try $0.optionalText(2), try $0.optionalInt64(3),
          try $0.optionalInt64(4)
        )
      }
    }

    /// Whether an error is one that a caller may see when connections are cut.
    private static func isExpected(_ error: any Error) -> Bool {
      if let error = error as? PostgresError {
        return error.isConnectionLost || error.isTransient || error.code == .adminShutdown
      }
      if case BootstrapError.alreadyRunning? = error as? BootstrapError { return true }
      if case BootstrapError.superseded? = error as? BootstrapError { return true }
      if case StoreError.unknownDetection? = error as? StoreError { return true }
      return false
    }

    @Test func everybodyAtOnce() async throws {
      try await TestServer.shared.withFreshDatabase(maximumConnections: 24) { pool in
        let test = try await TestStage.open(pool, dimension: 4)
        let memory = Memory()
        let end = ContinuousClock.now + .seconds(Self.seconds)
        try await test.withWorkers(2) {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, writer) in Self.writers.enumerated() {
              group.addTask {
                var random = SeededGenerator(seed: UInt64(index + 1))
                // At least once, however slow the machine is.
                repeat {
                  do {
                    try await writer.act(test, memory, &random)
                    memory.done.withLock { $0[writer.name, default: 0] += 1 }
                  } catch  where Self.isExpected(error) {
                    // Nothing of it happened, or all of it; the checks tell.
                  }
                } while ContinuousClock.now < end
              }
            }
            try await group.waitForAll()
          }
        }
        _ = try await test.stage.assign()
        try await check(test, memory)
        for writer in Self.writers {
          #expect(memory.done.withLock { $0[writer.name] ?? 0 } > 0, "\(writer.name)")
        }
      }
    }

    private func check(_ test: TestStage, _ memory: Memory) async throws {
      try await test.expectInvariants()
      #expect(try await test.stage.counts().byStatus["new"] == nil)
      let faces = try await test.faces()
      let said = memory.said.withLock { $0 }
      for (id, cluster) in said.manual {
        guard let face = faces[id] else { continue }
        #expect(face.status == "manual" && face.clusterID == cluster, "\(id)")
      }
      for (person, name) in said.names {
        let stored = try await test.value(
          "SELECT name FROM person WHERE id = $1", [.int64(person)])
        #expect(stored == name)
      }
    }
  }
}
