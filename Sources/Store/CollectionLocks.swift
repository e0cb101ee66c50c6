public import PostgresClient

/// Advisory locks of one collection.
///
/// They are the first locks that anything takes.
///
/// - `bootstrap` is held by a session for as long as a bootstrap works, so that there is one.
/// - `membership` is held by a transaction: shared by everything that moves faces, exclusive by the
///   short transaction in which a bootstrap applies its result.
/// - `links` is held by a transaction that decides about a face with a cannot-link to another face,
///   from before it looks where that one is. It comes after the rows of the faces.
public struct CollectionLocks: Sendable {
  private let collectionID: Int64

  /// The locks of one collection.
  public init(_ collection: CollectionRecord) { self.collectionID = collection.id }

  // The first key of PostgreSQL's two-key locks tells ours from those of other programs.
  private static let bootstrapSpace: Int32 = 0x7064_6201
  private static let membershipSpace: Int32 = 0x7064_6202
  private static let linksSpace: Int32 = 0x7064_6203

  private func keys(_ space: Int32) -> [PostgresValue] {
    // Collection ids are made by one sequence; they fit 31 bits for two thousand million tenants.
    [.int32(space), .int32(Int32(truncatingIfNeeded: collectionID))]
  }

  /// Tries to become the one bootstrap; released by ``releaseBootstrap(on:)`` or with the session.
  public func tryBootstrap(on connection: isolated PostgresConnection) throws -> Bool {
    try connection.query("SELECT pg_try_advisory_lock($1, $2)", keys(Self.bootstrapSpace))[0]
      .bool(0)
  }

  /// Whether no bootstrap is at work; until the transaction ends none begins.
  public func holdOffBootstrap(on connection: isolated PostgresConnection) throws -> Bool {
    try connection.query(
      "SELECT pg_try_advisory_xact_lock($1, $2)", keys(Self.bootstrapSpace))[0].bool(0)
  }

  /// Gives the bootstrap lock back.
  public func releaseBootstrap(on connection: isolated PostgresConnection) throws {
    try connection.query("SELECT pg_advisory_unlock($1, $2)", keys(Self.bootstrapSpace))
  }

  /// Waits for the right to move faces beside others, until the transaction ends.
  public func shareMembership(on connection: isolated PostgresConnection) throws {
    try connection.queryPrepared(
      "SELECT pg_advisory_xact_lock_shared($1, $2)", keys(Self.membershipSpace))
  }

  /// Waits for the right to decide about faces that are linked to others, until the transaction ends.
  public func ownLinks(on connection: isolated PostgresConnection) throws {
    try connection.query("SELECT pg_advisory_xact_lock($1, $2)", keys(Self.linksSpace))
  }

  /// Waits for the right to move faces alone, until the transaction ends.
  public func ownMembership(on connection: isolated PostgresConnection) throws {
    try connection.query("SELECT pg_advisory_xact_lock($1, $2)", keys(Self.membershipSpace))
  }
}
