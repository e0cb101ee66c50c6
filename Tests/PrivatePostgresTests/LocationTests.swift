import Foundation
import TestSupport
import Testing

@testable import PrivatePostgres

@Suite struct LocationTests {
  @Test(arguments: [
    (["PHOTODB_HOME": "/srv/photos"], "/srv/photos"),
    (["PHOTODB_HOME": "data/../store/"], "/tmp/store"),
    (["PHOTODB_HOME": ""], "/tmp/.photodb"),
    ([:], "/tmp/.photodb"),
  ])
  func home(_ environment: [String: String], _ expected: String) {
    #expect(
      PrivateServerLocation.directory(environment: environment, currentDirectory: "/tmp")
        == expected)
  }

  @Test(.enabled(if: geteuid() == 0, "only root runs the server as another user"))
  func aFolderThatTheServersUserCannotEnterIsAvoided() async throws {
    try await TemporaryFolder.with { folder in
      let closed = folder + "/closed/inner"
      try FileManager.default.createDirectory(
        atPath: closed, withIntermediateDirectories: true)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o700], ofItemAtPath: folder + "/closed")
      #expect(
        PrivateServerLocation.directory(environment: [:], currentDirectory: closed)
          == "/var/lib/photodb")
      #expect(
        PrivateServerLocation.find(environment: [:], currentDirectory: closed).origin
          == .shared(user: "postgres", closed: closed))
      let server = PrivateServer(
        directory: closed + "/home", durability: .fast, logger: TestServer.silentLogger)
      let error = await #expect(throws: PrivateServerError.self) { try await server.start() }
      #expect(error == .unreachable(directory: closed + "/home", user: "postgres"))
      #expect(error?.description.contains("set PHOTODB_HOME") == true)
    }
  }

  @Test func withoutPostgresTheCommandThatInstallsItIsNamed() {
    #expect(
      PrivateServerError.notInstalled(found: ["14.2"]).description
        == "PostgreSQL 15 or newer is not installed (found: 14.2);"
        + " run `apt-get install -y postgresql`, or set DATABASE_URL to use a server of your own")
  }

  @Test func socketPathsFitTheirStructure() {
    for length in 1...200 {
      let layout = ServerLayout(home: "/" + String(repeating: "x", count: length))
      #expect(ServerLayout.socketPath(in: layout.socketFolder).utf8.count < 108)
    }
    let same = String(repeating: "y", count: 150)
    #expect(
      ServerLayout(home: "/a" + same).socketFolder == ServerLayout(home: "/a" + same).socketFolder)
    #expect(
      ServerLayout(home: "/a" + same).socketFolder != ServerLayout(home: "/b" + same).socketFolder)
  }

  @Test func theLineThatSaysWhatIsWrongIsFound() {
    let log = "LOG: starting\nFATAL:  data directory is odd\nLOG: shut down\n"
    #expect(CommandRunner.reason(in: log) == "FATAL:  data directory is odd")
    #expect(CommandRunner.reason(in: "just this\n") == "just this")
    #expect(CommandRunner.reason(in: "") == nil)
  }

  @Test func theLockIsHeldByOne() async throws {
    try await TemporaryFolder.with { folder in
      let path = folder + "/lock"
      let first = try await ServerLock.acquire(path)
      let error = await #expect(throws: PrivateServerError.self) {
        _ = try await ServerLock.acquire(path, seconds: 0)
      }
      #expect(error == .busy(lock: path, seconds: 0))
      _ = consume first
      // Not at once: a program that another test is starting may hold a copy until it runs.
      _ = try await ServerLock.acquire(path, seconds: 10)
    }
  }
}
