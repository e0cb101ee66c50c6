/// Which run of which server, and which of its databases, a connection talks to.
///
/// It is another one after a restart, after a crash from which the server recovered by itself, after a failover
/// to another server, and where a database was made anew under its name. What a program remembers of rows then may be of transactions that the server never
/// heard of.
public struct ServerIdentity: Sendable, Hashable {
  /// Seconds since 1970 at which the server was started.
  private let startedAt: String
  /// Seconds since 1970 at which it last began to count what it does; a recovery begins anew, and loses
  /// what was committed without waiting for the disk.
  private let countsSince: String
  /// The database's `oid`.
  private let database: Int64

  init(_ row: PostgresRow) throws {
    startedAt = try row.text(0)
    countsSince = try row.optionalText(1) ?? ""
    database = try row.int64(2)
  }
}

extension PostgresConnection {
  /// Whom this connection talks to; the server is asked once a connection.
  ///
  /// - Throws: ``PostgresError``.
  public func serverIdentity() throws -> ServerIdentity {
    if let identity { return identity }
    let asked = try ServerIdentity(
      query(
        """
        SELECT extract(epoch FROM pg_postmaster_start_time())::text,
          extract(epoch FROM b.stats_reset)::text, d.oid::bigint
        FROM pg_database d, pg_stat_bgwriter b WHERE d.datname = current_database()
        """
      ).single())
    identity = asked
    return asked
  }
}
