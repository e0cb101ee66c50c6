import PostgresClient
import Store
import Testing

extension RepositoriesOnPostgres {
  /// What the tables refuse, whoever writes.
  @Suite struct ImpossibleStatesTests {
    @Test func theTablesRefuseEveryImpossibleState() async throws {
      try await StoredCollection.run { stored in
        let face = "UPDATE person_detection SET"
        let run = "UPDATE hdbscan_run SET"
        let cluster = "UPDATE cluster SET"
        let pair = "(collection_id, kind, detection_a_id, detection_b_id)"
        let refused: [(sql: String, constraint: String)] = [
          (
            "\(face) cluster_status = 'guessed', cluster_id = NULL, person_id = NULL",
            "cluster_status_check"
          ),
          ("\(face) cluster_status = 'unassigned'", "a_cluster_exactly_when_assigned"),
          ("\(face) cluster_status = NULL", "a_cluster_exactly_when_assigned"),
          ("\(face) cluster_id = NULL, person_id = NULL", "a_cluster_exactly_when_assigned"),
          ("\(face) person_id = NULL", "a_person_exactly_with_a_cluster"),
          (
            "\(face) cluster_status = 'invalid', cluster_id = NULL, person_id = NULL",
            "invalid_has_a_reason"
          ),
          ("\(face) invalid_reason = 'none'", "invalid_has_a_reason"),
          (
            """
            \(face) cluster_status = NULL, cluster_id = NULL, person_id = NULL,
              invalid_reason = 'none'
            """, "invalid_has_a_reason"
          ),
          ("\(face) cluster_confidence = 1.01", "cluster_confidence_check"),
          ("\(face) outlier_score = -0.1", "outlier_score_check"),
          ("\(face) face_confidence = 2", "face_confidence_check"),
          ("\(face) face_width = 0", "face_width_check"),
          ("\(face) cluster_id = 4711", "person_detection_cluster_and_person"),
          ("\(face) person_id = 4711", "person_detection_cluster_and_person"),
          ("\(face) external_id = 'f1'", "external_id_key"),
          ("\(run) status = 'running'", "only_a_completed_run_is_active"),
          ("\(run) clusterer_state = NULL", "a_completed_run_has_its_model"),
          ("\(run) error = 'why'", "a_failed_run_has_a_reason"),
          ("\(run) status = 'failed', is_active = false", "a_failed_run_has_a_reason"),
          ("\(run) status = 'done'", "status_check"),
          (
            """
            INSERT INTO hdbscan_run (collection_id, status, embedding_model, min_cluster_size,
              min_samples, clusterer_state, is_active) VALUES (1, 'completed', 'm', 3, 2, '', true)
            """, "hdbscan_run_one_active"
          ),
          ("\(cluster) retired_at = now()", "a_retired_cluster_is_empty"),
          ("\(cluster) face_count = -1", "face_count_check"),
          ("\(cluster) epsilon = 2.5", "epsilon_check"),
          ("\(cluster) person_id = 4711", "person_detection_cluster_and_person"),
          (
            "WITH f AS (\(face) person_id = 4711) \(cluster) person_id = 4711",
            "cluster_collection_id_person_id_fkey"
          ),
          ("\(cluster) origin = 'thin air'", "origin_check"),
          ("UPDATE person SET name = ''", "name_check"),
          ("INSERT INTO detection_constraint \(pair) VALUES (1, 'cannot_link', 2, 1)", "each_pair"),
          ("INSERT INTO detection_constraint \(pair) VALUES (1, 'cannot_link', 1, 1)", "each_pair"),
          ("INSERT INTO detection_constraint \(pair) VALUES (1, 'maybe', 1, 2)", "kind_check"),
          (
            "INSERT INTO cluster_person_cannot_link (collection_id, detection_id) VALUES (1, 1)",
            "against_something"
          ),
          (
            """
            INSERT INTO face_match_candidate (collection_id, detection_id, cluster_id, similarity,
              status, reason) VALUES (1, 1, 1, 0.5, 'perhaps', 'x')
            """, "status_check"
          ),
          ("UPDATE face_embedding SET norm = 1.1", "embedding_is_unit_length"),
          ("UPDATE face_embedding SET embedding = '\\x0102'", "embedding_has_the_dimension"),
          ("UPDATE face_embedding SET embedding_model = 'other'", "face_embedding_collection_id"),
        ]
        for (sql, constraint) in refused {
          let error = await #expect(throws: PostgresError.self, "\(sql)") {
            try await stored.pool.query(sql)
          }
          let text = error?.description ?? "nothing was refused"
          #expect(text.contains(constraint), "\(sql): \(text)")
        }
        try await stored.expectInvariants()
      }
    }

    @Test func nothingCrossesTwoCollections() async throws {
      try await StoredCollection.run { first in
        let second = try await StoredCollection.make(first.pool, name: "others")
        for sql in [
          "UPDATE person_detection SET cluster_id = \(second.cluster) WHERE collection_id = 1",
          "UPDATE person_detection SET person_id = \(second.person) WHERE collection_id = 1",
          "UPDATE person_detection SET photo_id = 4 WHERE collection_id = 1",
          "UPDATE cluster SET person_id = \(second.person) WHERE collection_id = 1",
          "UPDATE cluster SET hdbscan_run_id = \(second.run) WHERE collection_id = 1",
          "UPDATE cluster SET medoid_detection_id = \(second.faces[0]) WHERE collection_id = 1",
          """
          INSERT INTO face_match_candidate (collection_id, detection_id, cluster_id, similarity,
            reason) VALUES (1, \(first.faces[0]), \(second.cluster), 0.5, 'ambiguous')
          """,
        ] {
          let error = await #expect(throws: PostgresError.self, "\(sql)") {
            try await first.pool.query(sql)
          }
          #expect(error?.code == .foreignKeyViolation, "\(sql)")
        }
      }
    }
  }
}
