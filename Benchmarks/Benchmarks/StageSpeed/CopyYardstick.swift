import PostgresClient

/// How long COPY itself needs for the bytes that a bootstrap reads and writes: the least that one could take.
///
/// It copies what a bootstrap has just read and written, from the tables where it lies, into tables of the
/// same columns: bare ones, and ones with the checks, keys and indexes of the real ones. Rows are copied
/// whole, as the server writes a changed one; new persons and lineage are left out.
struct CopyYardstick {
  let pool: PostgresPool

  /// Seconds of COPY into tables with nothing to look after, and into ones like the real ones.
  struct Seconds {
    var bare = 0.0
    var keyed = 0.0

    static func + (a: Self, b: Self) -> Self {
      Self(bare: a.bare + b.bare, keyed: a.keyed + b.keyed)
    }
  }

  /// What a bootstrap moves.
  enum Part: String {
    case faces = "person_detection"
    case events = "assignment_event"
    case clusters = "cluster"
    /// The state of the run that is left.
    case leftClusters = "hdbscan_run_cluster"
    case leftFaces = "hdbscan_run_state"
    /// With its model.
    case run = "hdbscan_run"

    /// Which rows; none is written twice by one bootstrap.
    var condition: String {
      switch self {
      case .faces:
        "assigned_run_id = (SELECT max(id) FROM hdbscan_run) AND assigned_tier = 'bootstrap'"
      case .events: "run_id = (SELECT max(id) FROM hdbscan_run) AND tier = 'bootstrap'"
      case .clusters: "retired_at IS NULL"
      case .leftClusters, .leftFaces: "run_id = (SELECT max(run_id) FROM hdbscan_run_state)"
      case .run: "id = (SELECT max(id) FROM hdbscan_run)"
      }
    }
  }

  /// All vectors to the client.
  func out() async throws -> Double {
    try await best {
      let bytes = try await pool.withTransaction(.snapshot) { connection in
        var bytes = 0
        _ = try connection.copyOut(
          """
          COPY (SELECT detection_id, embedding FROM face_embedding ORDER BY collection_id, detection_id)
          TO STDOUT (FORMAT binary)
          """
        ) { bytes += try $0.bytes(1).count }
        return bytes
      }
      precondition(bytes > 0)
    }
  }

  /// The rows of some tables, from the client in.
  func into(_ parts: [Part]) async throws -> Seconds {
    var sum = Seconds()
    for part in parts { sum = sum + (try await into(part)) }
    return sum
  }

  private func into(_ part: Part) async throws -> Seconds {
    let table = part.rawValue
    let rows = try await pool.withTransaction { connection in
      var rows: [[[UInt8]?]] = []
      _ = try connection.copyOut(
        "COPY (SELECT * FROM \(table) WHERE \(part.condition)) TO STDOUT (FORMAT binary)"
      ) { row in
        rows.append(
          try (0..<row.count).map { try row.isNull($0) ? nil : Array(row.bytes($0)) })
      }
      return rows
    }
    guard let columns = rows.first?.count else { return Seconds() }
    func seconds(isKeyed: Bool) async throws -> Double {
      try await best(
        before: "DROP TABLE IF EXISTS yardstick; " + Self.made(like: table, isKeyed: isKeyed)
      ) {
        try await pool.withTransaction { connection in
          _ = try connection.copyIn("COPY yardstick FROM STDIN (FORMAT binary)", columns: columns) {
            for fields in rows {
              try $0.row { row in
                for field in fields { row.value(field.map { .bytes($0) } ?? .null) }
              }
            }
          }
        }
      }
    }
    let times = Seconds(
      bare: try await seconds(isKeyed: false), keyed: try await seconds(isKeyed: true))
    try await pool.query("DROP TABLE yardstick")
    return times
  }

  private static func made(like table: String, isKeyed: Bool) -> String {
    guard isKeyed else {
      return "CREATE TABLE yardstick (LIKE \(table) INCLUDING STORAGE)"
    }
    // Foreign keys are not among what LIKE includes. Of a face the server checks what a bootstrap changes.
    return """
      CREATE TABLE yardstick (LIKE \(table) INCLUDING ALL EXCLUDING GENERATED);
      DO $$ DECLARE key text; BEGIN
        FOR key IN SELECT pg_get_constraintdef(oid) FROM pg_constraint
          WHERE conrelid = '\(table)'::regclass AND contype = 'f'
            AND (conrelid <> 'person_detection'::regclass
              OR confrelid = 'cluster'::regclass)
        LOOP EXECUTE 'ALTER TABLE yardstick ADD ' || key; END LOOP;
      END $$
      """
  }

  /// The shortest of three times.
  private func best(before script: String = "", _ body: () async throws -> Void) async throws
    -> Double
  {
    var best = Double.infinity
    for _ in 0..<3 {
      try await pool.withTransaction { try $0.execute(script: script) }
      best = min(best, try await time(body))
    }
    return best
  }
}
