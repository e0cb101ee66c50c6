/// A column, by its name or its number from 0.
///
/// Literals of both kinds will do.
public enum PostgresColumn: Sendable, Hashable, ExpressibleByStringLiteral,
  ExpressibleByIntegerLiteral, CustomStringConvertible
{
  /// By name, exactly as the server returns it.
  case name(String)
  /// By position, from 0.
  case index(Int)

  /// By name.
  public init(stringLiteral value: String) { self = .name(value) }
  /// By position.
  public init(integerLiteral value: Int) { self = .index(value) }

  /// `column "name"` or `column number 3`.
  public var description: String {
    switch self {
    case .name(let name): "column \"\(name)\""
    case .index(let index): "column number \(index)"
    }
  }
}

/// One row of a result.
///
/// Every type has two accessors: the plain one throws for NULL, the optional one returns `nil`.
/// Both throw when the column does not exist or its type does not fit.
public struct PostgresRow: Sendable {
  let storage: ResultStorage
  let index: Int

  /// Whether the value is NULL.
  public func isNull(_ column: PostgresColumn) throws -> Bool {
    try read(column) { $0.bytes == nil }
  }

  /// Calls `body` with the field, whose bytes live during the call.
  func read<T>(_ column: PostgresColumn, _ body: (PostgresField) throws -> T) throws -> T {
    try withExtendedLifetime(storage) {
      let number = try position(of: column)
      return try body(
        PostgresField(
          bytes: storage.bytes(row: index, column: number), type: storage.types[number],
          column: column))
    }
  }

  private func position(of column: PostgresColumn) throws -> Int {
    let names = storage.columnNames
    let number: Int? =
      switch column {
      case .name(let name): names.firstIndex(of: name)
      case .index(let index): names.indices.contains(index) ? index : nil
      }
    guard let number else {
      throw PostgresError(
        .decoding, "\(column) is not in the result; it has \(names.joined(separator: ", "))")
    }
    return number
  }
}
