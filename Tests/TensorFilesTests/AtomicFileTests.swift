import Foundation
import Testing

@testable import TensorFiles

@Suite("atomic writing")
struct AtomicFileTests {
  static func content(of path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private struct Interrupted: Error {}

  @Test("a failure half way leaves the old file and nothing else")
  func interrupted() throws {
    try withFolder { folder in
      let path = folder + "/x"
      try AtomicFile.write([1, 2, 3], to: path)
      #expect(throws: Interrupted.self) {
        try AtomicFile.write(to: path) { sink in
          try [UInt8](repeating: 9, count: 100).withUnsafeBytes { try sink($0) }
          throw Interrupted()
        }
      }
      #expect(try Self.content(of: path) == [1, 2, 3])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x"])
    }
  }

  @Test("a refused header leaves the old file")
  func refusedContent() throws {
    try withFolder { folder in
      let path = folder + "/x.safetensors"
      try AtomicFile.write([1], to: path)
      let content = SafetensorsContent(tensors: ["__metadata__": Tensor([1])])
      #expect(refusal { try content.write(to: path) }.contains("__metadata__"))
      #expect(try Self.content(of: path) == [1])
    }
  }

  @Test("a link stays a link, and permissions are those of any new file")
  func links() throws {
    try withFolder { folder in
      try AtomicFile.write([1], to: folder + "/target")
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link", withDestinationPath: "target")
      try AtomicFile.write([2], to: folder + "/link")
      #expect(try Self.content(of: folder + "/target") == [2])
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "target")
      try write("", to: folder + "/plain")
      func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.posixPermissions]
          as? Int
      }
      #expect(try mode("target") == mode("plain"))
    }
  }

  @Test("devices, folders and missing folders are refused before work is done")
  func destinations() throws {
    try withFolder { folder in
      for path in ["/dev/null", folder, folder + "/missing/x"] {
        #expect(refusal { try AtomicFile.write([1], to: path) }.hasPrefix(path + ": "))
        #expect(refusal { try AtomicFile.checkDestination(path) }.hasPrefix(path + ": "))
      }
      try AtomicFile.checkDestination(folder + "/new")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test("an empty file can be written")
  func empty() throws {
    try withFolder { folder in
      try AtomicFile.write([], to: folder + "/x")
      #expect(try Self.content(of: folder + "/x").isEmpty)
    }
  }
}
