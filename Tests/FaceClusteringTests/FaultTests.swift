import FaceClustering
import Foundation
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing
import Vectors

extension OnPostgres {
  /// What the server refuses for a while is one clear error, and nothing is lost.
  @Suite struct FaultTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    @Test func aStatementThatTakesTooLongIsAnErrorAndTheWorkCanBeDoneAgain() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Circle.file([1, 91], prefix: "new"))
        let before = try await test.fingerprint()
        // Somebody holds the row that assign needs at its end.
        let other = try await test.pool.connectionOfItsOwn()
        try await other.query("BEGIN")
        try await other.query("SELECT FROM cluster FOR UPDATE")
        var configuration = test.pool.configuration
        configuration.statementTimeout = .seconds(3)
        let hasty = PostgresPool(configuration, logger: TestServer.silentLogger)
        let stage = try await TestStage.open(hasty, dimension: 4).stage
        let error = await #expect(throws: PostgresError.self) { _ = try await stage.assign() }
        #expect(error?.code == .queryCanceled)
        #expect(error?.description.contains("\n") == false)
        await hasty.close()
        try await other.query("ROLLBACK")
        await other.close()
        #expect(try await test.fingerprint() == before)
        #expect(try await test.stage.assign().assigned.predict == 2)
      }
    }

    @Test func aDeadlockIsTriedAgain() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Circle.file([1], prefix: "new"))
        // Holds the cluster, and then wants the face that assign holds.
        let other = try await test.pool.connectionOfItsOwn()
        try await other.query("BEGIN")
        try await other.query("SELECT FROM cluster FOR UPDATE")
        let stage = test.stage
        let assigning = Task { try await stage.assign() }
        try await eventually("assign waits for the cluster") {
          try await test.somebodyWaitsForALock()
        }
        // One of the two is chosen as the victim: whichever, both end well.
        do {
          try await other.query("SELECT FROM person_detection WHERE cluster_id IS NULL FOR UPDATE")
          try await other.query("ROLLBACK")
        } catch let error as PostgresError {
          #expect(error.code == .deadlockDetected)
          try await other.query("ROLLBACK")
        }
        #expect(try await assigning.value.assigned.predict == 1)
        await other.close()
      }
    }

    @Test(
      .enabled("mounting a small file system takes rights that are not there") {
        try await canMount()
      })
    func aFullDiskIsOneErrorAndNothingIsLost() async throws {
      try await OwnServer.with { server in
        let small = server.folder + "/small"
        let script = """
          mkdir '\(small)' && mount -t tmpfs -o size=24m none '\(small)' \
          && mkdir '\(small)/space' && chown --reference='\(server.folder)/data' '\(small)/space'
          """
        #expect(try Self.shell(script) == 0)
        defer { _ = try? Self.shell("umount -l '\(small)'") }
        let logger = TestServer.silentLogger
        let admin = try await PostgresConnection.connect(server.configuration, logger: logger)
        try await admin.query("CREATE TABLESPACE small LOCATION '\(small)/space'")
        try await admin.query("CREATE DATABASE small TABLESPACE small")
        let pool = PostgresPool(try server.configuration.with(database: "small"), logger: logger)
        try await Migrator().migrate(pool)
        let test = try await TestStage.open(pool, dimension: 256)
        let count = 20_000
        let file = FaceFile(
          faces: (0..<count).map { IncomingFace(externalID: "face-\($0)") },
          rows: Array(0..<count),
          embeddings: Matrix<Float>(rows: count, columns: 256) { base, stride in
            for row in 0..<count {
              for column in 0..<256 {
                base[row * stride + column] = Float(sin(Double(row * 256 + column) * 0.37))
              }
            }
          })
        let error = await #expect(throws: PostgresError.self) {
          _ = try await test.stage.importFaces(file)
        }
        #expect(error?.code == "53100")
        #expect(error?.description.contains("No space left on device") == true)
        let stored = try await test.stage.counts().total
        #expect(stored % 10_000 == 0 && stored < count)
        try await test.expectInvariants()
        #expect(try Self.shell("mount -o remount,size=400m '\(small)'") == 0)
        let again = try await test.stage.importFaces(file)
        #expect(again.imported == count - stored && again.skipped == stored)
        await pool.close()
        try await admin.query("DROP DATABASE small WITH (FORCE)")
        try await admin.query("DROP TABLESPACE small")
        await admin.close()
      }
    }

    @Test func aServerThatCrashesLosesNothingThatItAcknowledged() async throws {
      try await OwnServer.with { server in
        let pool = PostgresPool(
          server.configuration, maximumConnections: 12, logger: TestServer.silentLogger)
        let test = try await TestStage.open(pool, dimension: 4)
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        let said = Said()
        for round in 0..<max(3, Int(soakSeconds / 20)) {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for work in Self.works {
              group.addTask {
                for step in 0..<20 {
                  do {
                    try await work(test, said, "\(round)-\(step)")
                  } catch  where SoakTests.isExpected(error) {
                    // What was acknowledged before is looked at below.
                  }
                }
              }
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...300)))
            try server.crash()
            try await server.start()
            try await group.waitForAll()
          }
          // It can be done again, and then all of it is there.
          _ = try await test.stage.assign()
          _ = try await test.stage.bootstrap()
          try await test.expectInvariants()
          let faces = try await test.faces()
          for id in said.imported.withLock({ $0 }) { #expect(faces[id] != nil, "\(id)") }
          for (id, cluster) in said.manual.withLock({ $0 }) {
            #expect(faces[id]?.status == "manual" && faces[id]?.clusterID == cluster, "\(id)")
          }
        }
        #expect(said.imported.withLock { $0.count } > 0)
        await pool.close()
      }
    }

    /// What the server acknowledged.
    private final class Said: Sendable {
      let imported = Mutex<[String]>([])
      let manual = Mutex<[String: Int64]>([:])
    }

    private static let works: [@Sendable (TestStage, Said, String) async throws -> Void] = [
      { test, said, step in
        let file = Circle.file([10, 100, 200], prefix: step)
        _ = try await test.stage.importFaces(file)
        said.imported.withLock { $0 += file.faces.map(\.externalID) }
      },
      { test, _, _ in _ = try await test.stage.assign(batchSize: 3) },
      { test, _, _ in _ = try await test.stage.bootstrap() },
      { test, said, _ in
        guard let group = try await test.groups().randomElement(),
          let face = group.faces.randomElement()
        else { return }
        // An answer that does not come leaves open what holds.
        said.manual.withLock { $0[face] = nil }
        let placed = try await test.stage.assign(
          externalID: face, to: .cluster(group.cluster), anyway: true)
        said.manual.withLock { $0[face] = placed.clusterID }
      },
    ]

    /// Whether a file system of memory can be mounted here; a container may forbid it even to root.
    @Sendable private static func canMount() async throws -> Bool {
      try await TemporaryFolder.with { folder in
        try shell("mount -t tmpfs -o size=64k none '\(folder)' && umount '\(folder)'") == 0
      }
    }

    private static func shell(_ line: String) throws -> Int32 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", line]
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      return process.terminationStatus
    }
  }
}
