import FaceClustering
import Foundation
import PostgresClient
import Store
import TestSupport
import Testing

extension OnPostgres {
  /// Another server behind the same URL, which lost transactions that the one before it acknowledged.
  @Suite struct FailoverTests {
    @Test func whatALostRunTaughtIsForgotten() async throws {
      try await OwnServer.with { server in
        let pool = PostgresPool(
          server.configuration, maximumConnections: 4, logger: TestServer.silentLogger)
        let test = try await TestStage.open(pool, dimension: 4)
        _ = try await test.stage.importFaces(Circle.file(Circle.person(at: 0), prefix: "first"))
        _ = try await test.stage.bootstrap()
        try await server.crash { data in
          try FileManager.default.createDirectory(
            atPath: "\(data).kept", withIntermediateDirectories: true)
          try Self.shell("cp -a '\(data)/.' '\(data).kept/' && rm -f '\(data).kept/postmaster.pid'")
        }
        // The second run, in memory with its clusters and its pool; then it never was.
        let lost = try await Self.addAndAssign(90, "lost", to: test)
        try await server.crash { data in
          try Self.shell("rm -r '\(data)' && mv '\(data).kept' '\(data)'")
        }
        // Another program makes a second run, of the same number.
        let other = try await test.reopened()
        #expect(try await Self.addAndAssign(180, "other", to: other) == lost)
        _ = try await other.stage.importFaces(
          Circle.file([181, 90], prefix: "new"))
        let report = try await test.stage.assign()
        #expect(report.assigned.predict == 1)
        let faces = try await test.faces()
        #expect(faces["new-0"]?.clusterID == faces["other-0"]?.clusterID)
        #expect(faces["new-1"]?.status == "unassigned")
        try await test.expectInvariants()
        await pool.close()
      }
    }

    /// The run that comes of it.
    private static func addAndAssign(
      _ middle: Double, _ name: String, to test: TestStage
    ) async throws -> Int64? {
      _ = try await test.stage.importFaces(Circle.file(Circle.person(at: middle), prefix: name))
      let run = try await test.stage.bootstrap().runID
      _ = try await test.stage.importFaces(Circle.file([middle + 1, 300], prefix: "\(name)-late"))
      #expect(try await test.stage.assign().assigned.predict == 1)
      return run
    }

    private static func shell(_ line: String) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", line]
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
    }
  }
}
