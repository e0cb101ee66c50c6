/// How a transaction sees the changes of others.
public struct TransactionMode: Sendable, Hashable {
  /// The statement that begins such a transaction.
  let begin: String

  /// Every statement sees what was committed before it began.
  public static let readCommitted = Self(begin: "BEGIN ISOLATION LEVEL READ COMMITTED")
  /// All statements see one snapshot; a write to a row changed meanwhile fails with 40001.
  public static let repeatableRead = Self(begin: "BEGIN ISOLATION LEVEL REPEATABLE READ")
  /// As if transactions ran one after the other; what cannot be so fails with 40001.
  public static let serializable = Self(begin: "BEGIN ISOLATION LEVEL SERIALIZABLE")
  /// One snapshot that cannot write.
  public static let snapshot = Self(begin: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
}
