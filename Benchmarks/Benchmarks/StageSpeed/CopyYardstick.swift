import PostgresClient

/// How long COPY itself needs for what a bootstrap reads and writes: the least that one could take.
struct CopyYardstick {
  let pool: PostgresPool

  /// Seconds of COPY.
  struct Result {
    /// All vectors to the client.
    var out = Double.infinity
    /// As many rows as a bootstrap writes, into tables with nothing to look after.
    var into = Double.infinity
    /// The same rows into tables with the checks, keys and indexes of the real ones.
    var intoKeyed = Double.infinity
  }

  /// The best of three.
  func run() async throws -> Result {
    var best = Result()
    for _ in 0..<3 {
      let once = try await measure()
      best = Result(
        out: min(best.out, once.out), into: min(best.into, once.into),
        intoKeyed: min(best.intoKeyed, once.intoKeyed))
    }
    try await pool.query(
      """
      DROP TABLE yardstick_state, yardstick_event, yardstick_keyed, yardstick_log,
        yardstick_owner
      """)
    return best
  }

  private func measure() async throws -> Result {
    var ids: [Int64] = []
    let out = try await time {
      ids = try await pool.withTransaction(.snapshot) { connection in
        var ids: [Int64] = []
        var bytes = 0
        _ = try connection.copyOut(
          """
          COPY (SELECT detection_id, embedding FROM face_embedding ORDER BY collection_id, detection_id)
          TO STDOUT (FORMAT binary)
          """
        ) { row in
          ids.append(try row.int64(0))
          bytes += try row.bytes(1).count
        }
        precondition(bytes > 0)
        return ids
      }
    }
    try await pool.query(
      """
      DROP TABLE IF EXISTS yardstick_state, yardstick_event, yardstick_keyed, yardstick_log,
        yardstick_owner
      """)
    try await pool.query(
      """
      CREATE TABLE yardstick_state (id bigint, status text, cluster_id bigint, person_id bigint,
        confidence real, is_core boolean, lambda_val real, outlier_score real)
      """)
    try await pool.query(
      """
      CREATE TABLE yardstick_event (id bigint, old_cluster bigint, new_cluster bigint, old_status text,
        new_status text, tier text, run_id bigint, confidence real)
      """)
    let faces = ids
    let into = try await time {
      try await pool.withTransaction { connection in
        try connection.copyIn("COPY yardstick_state FROM STDIN (FORMAT binary)", columns: 8) {
          for id in faces {
            try $0.row {
              $0.int64(id)
              $0.text("hdbscan_core")
              for _ in 0..<2 { $0.int64(id) }
              $0.float(0.5)
              $0.bool(true)
              for _ in 0..<2 { $0.float(0.5) }
            }
          }
        }
        try connection.copyIn("COPY yardstick_event FROM STDIN (FORMAT binary)", columns: 8) {
          for id in faces {
            try $0.row {
              for _ in 0..<3 { $0.int64(id) }
              for _ in 0..<3 { $0.text("hdbscan_core") }
              $0.int64(id)
              $0.float(0.5)
            }
          }
        }
      }
    }
    return Result(out: out, into: into, intoKeyed: try await keyed(faces))
  }

  private func keyed(_ faces: [Int64]) async throws -> Double {
    let owners = max(Int64(faces.count / 14), 1)
    try await pool.withTransaction {
      try $0.execute(
        script: """
          CREATE TABLE yardstick_owner (collection_id bigint, id bigint,
            PRIMARY KEY (collection_id, id));
          INSERT INTO yardstick_owner SELECT 1, generate_series(0, \(owners));
          ANALYZE yardstick_owner;
          CREATE TABLE yardstick_keyed (LIKE person_detection INCLUDING ALL);
          ALTER TABLE yardstick_keyed
            ADD FOREIGN KEY (collection_id, cluster_id) REFERENCES yardstick_owner,
            ADD FOREIGN KEY (collection_id, person_id) REFERENCES yardstick_owner;
          CREATE TABLE yardstick_log (LIKE assignment_event INCLUDING ALL)
          """)
    }
    return try await time {
      try await pool.withTransaction { connection in
        try connection.copyIn(
          """
          COPY yardstick_keyed (collection_id, id, external_id, cluster_status, cluster_id, person_id,
            cluster_confidence, is_core, lambda_val, outlier_score, assigned_tier, assigned_run_id)
          FROM STDIN (FORMAT binary)
          """, columns: 12
        ) {
          for id in faces {
            try $0.row {
              $0.int64(1)
              $0.int64(id)
              $0.text("face-\(id)")
              $0.text("hdbscan_core")
              for _ in 0..<2 { $0.int64(id % owners) }
              $0.float(0.5)
              $0.bool(true)
              for _ in 0..<2 { $0.float(0.5) }
              $0.text("bootstrap")
              $0.int64(1)
            }
          }
        }
        try connection.copyIn(
          """
          COPY yardstick_log (collection_id, detection_id, new_cluster_id, new_status, tier, run_id,
            confidence) FROM STDIN (FORMAT binary)
          """, columns: 7
        ) {
          for id in faces {
            try $0.row {
              $0.int64(1)
              $0.int64(id)
              $0.int64(id % owners)
              $0.text("hdbscan_core")
              $0.text("bootstrap")
              $0.int64(1)
              $0.float(0.5)
            }
          }
        }
      }
    }
  }
}
