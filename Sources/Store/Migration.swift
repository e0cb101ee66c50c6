internal import CMigrations
internal import Crypto

/// One numbered file of SQL.
public struct Migration: Sendable, Hashable {
  /// The number that its name begins with, from 1.
  public let version: Int32
  /// The file's name, such as `0001_collections_and_faces.sql`.
  public let name: String
  /// The statements.
  public let sql: String
  /// SHA-256 of the bytes, in hexadecimal: an applied file must never change.
  public let checksum: String

  /// Makes a migration.
  ///
  /// - Throws: ``MigrationError/badName(_:)`` when the name has no number in front.
  public init(name: String, sql: String) throws {
    guard let version = Int32(name.prefix { $0.isNumber }), version > 0 else {
      throw MigrationError.badName(name)
    }
    self.version = version
    self.name = name
    self.sql = sql
    let digits = Array("0123456789abcdef")
    checksum = SHA256.hash(data: Array(sql.utf8)).reduce(into: "") { text, byte in
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
  }
}

extension [Migration] {
  /// The files of the folder `migrations`, as they were when the program was built.
  ///
  /// - Throws: ``MigrationError/badName(_:)`` when one of them has no number.
  public static func embedded() throws -> [Migration] {
    try (0..<photodb_migration_count()).map { index in
      let file = photodb_migration_at(index)
      let bytes = UnsafeBufferPointer(start: file.bytes, count: file.length)
      return try Migration(
        name: String(cString: file.name), sql: String(decoding: bytes, as: UTF8.self))
    }
  }
}
