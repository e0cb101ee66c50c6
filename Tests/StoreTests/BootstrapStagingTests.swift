import PostgresClient
import Store
import Testing

extension RepositoriesOnPostgres {
  /// What a bootstrap brings before it locks rows.
  @Suite struct BootstrapStagingTests {
    /// SQL of others does not ask for the membership of the collection.
    @Test func whatOthersDidMeanwhileStays() async throws {
      try await StoredCollection.run { stored in
        let staging = BootstrapStaging(stored.collection)
        let run = try await stored.pool.withTransaction { connection in
          let run = try RunRepository(stored.collection).start(
            parametersJSON: "{}", minClusterSize: 3, minSamples: 2, on: connection)
          try staging.begin(on: connection)
          try staging.put(
            stored.faces.map {
              (
                placement: Placement(detectionID: $0, status: .unassigned, tier: "bootstrap"),
                number: nil
              )
            }, on: connection)
          let found = try staging.findMoves(clusters: [], runID: run, on: connection)
          #expect(found == stored.faces)
          try connection.query(
            "UPDATE person_detection SET cluster_status = 'manual' WHERE id = $1",
            [.int64(stored.faces[0])])
          try connection.query(
            "DELETE FROM person_detection WHERE id = $1", [.int64(stored.faces[1])])
          try staging.moveFaces(found.count, runID: run, on: connection)
          return run
        }
        #expect(
          try await stored.value(
            "SELECT count(*) FROM person_detection WHERE cluster_status = 'unassigned'") == "4")
        #expect(
          try await stored.value(
            "SELECT cluster_status FROM person_detection WHERE id = \(stored.faces[0])")
            == "manual")
        #expect(
          try await stored.value(
            """
            SELECT array_agg(detection_id ORDER BY detection_id) = ARRAY\(stored.faces[2...])::bigint[]
            FROM assignment_event WHERE run_id = \(run)
            """) == "true")
      }
    }
  }
}
