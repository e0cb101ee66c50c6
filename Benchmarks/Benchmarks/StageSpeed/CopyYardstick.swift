import PostgresClient

/// How long COPY itself needs for what a bootstrap reads and writes: the least that one could take.
struct CopyYardstick {
  let pool: PostgresPool

  /// The best of three.
  func run() async throws -> (out: Double, into: Double) {
    var best = (out: Double.infinity, into: Double.infinity)
    for _ in 0..<3 {
      let once = try await measure()
      best = (min(best.out, once.out), min(best.into, once.into))
    }
    return best
  }

  private func measure() async throws -> (out: Double, into: Double) {
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
    try await pool.query("DROP TABLE IF EXISTS yardstick_state, yardstick_event")
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
    return (out, into)
  }
}
