import PostgresClient
import TestSupport
import Testing

/// The embeddings of a collection are moved by COPY, never row by row.
@Suite(.serialized) struct CopySpeedTests {
  @Test func tenThousandEmbeddings() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let (rows, dimension) = (10_000, 512)
      try await pool.query(
        "CREATE TABLE face (id bigint PRIMARY KEY, vector bytea NOT NULL)")
      try await pool.query("ALTER TABLE face ALTER COLUMN vector SET STORAGE PLAIN")
      let vectors = (0..<(rows * dimension)).map { Float($0 % 1009) / 1009 }
      let clock = ContinuousClock()
      let writing = try await clock.measure {
        _ = try await pool.withTransaction { connection in
          try connection.copyIn("COPY face FROM STDIN (FORMAT binary)", columns: 2) { writer in
            try vectors.withUnsafeBytes { bytes in
              for row in 0..<rows {
                let start = row * dimension * 4
                try writer.row {
                  $0.int64(Int64(row))
                  $0.bytes(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + dimension * 4)]))
                }
              }
            }
          }
        }
      }
      var copied: [Float] = []
      let reading = try await clock.measure {
        copied = try await pool.withTransaction(.snapshot) { connection in
          var floats = [Float](repeating: 0, count: rows * dimension)
          var row = 0
          try connection.copyOut(
            "COPY (SELECT id, vector FROM face ORDER BY id) TO STDOUT (FORMAT binary)"
          ) { fields in
            let start = row * dimension * 4
            let source = try fields.bytes(1)
            floats.withUnsafeMutableBytes {
              UnsafeMutableRawBufferPointer(rebasing: $0[start..<(start + dimension * 4)])
                .copyMemory(from: source)
            }
            row += 1
          }
          return floats
        }
      }
      #expect(copied == vectors)
      print("COPY of 10,000 × 512 floats: in \(writing), out \(reading)")
      // A limit for a gross mistake alone: the machine may be busy with other things.
      #expect(writing + reading < .seconds(60))
    }
  }
}
