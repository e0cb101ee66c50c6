import PostgresClient
import Store
import Testing

extension RepositoriesOnPostgres {
  /// Questions and prohibitions.
  @Suite struct ReviewRepositoryTests {
    private func question(_ stored: StoredCollection, _ face: Int, _ similarity: Float = 0.5)
      -> CandidateQuestion
    {
      CandidateQuestion(
        detectionID: stored.faces[face], clusterID: stored.cluster, similarity: similarity,
        reason: "bootstrap_conflict")
    }

    private func statuses(_ stored: StoredCollection) async throws -> String? {
      try await stored.value(
        "SELECT string_agg(status, ' ' ORDER BY detection_id) FROM face_match_candidate")
    }

    @Test func aQuestionIsAskedOnceUntilItExpires() async throws {
      try await StoredCollection.run { stored in
        let review = ReviewRepository(stored.collection)
        let questions = [question(stored, 0), question(stored, 1)]
        func ask(_ questions: [CandidateQuestion]) async throws -> Int {
          try await stored.pool.withTransaction { try review.ask(questions, on: $0) }
        }
        #expect(try await ask(questions + [question(stored, 0, 0.625)]) == 2)
        #expect(
          try await stored.value("SELECT max(similarity) FROM face_match_candidate") == "0.625")
        #expect(try await ask(questions) == 0)
        try await stored.pool.withTransaction {
          try review.expire(
            detections: stored.faces, keeping: [questions[1]], on: $0)
        }
        #expect(try await statuses(stored) == "expired pending")
        #expect(try await ask([question(stored, 0, 0.75)]) == 1)
        #expect(try await statuses(stored) == "pending pending")
        #expect(
          try await stored.value("SELECT max(similarity) FROM face_match_candidate") == "0.75")
        // Asked for another reason it is another question.
        var other = questions[1]
        other.reason = "verified"
        try await stored.pool.withTransaction { [other] in
          try review.expire(detections: stored.faces, keeping: [questions[0], other], on: $0)
        }
        #expect(try await statuses(stored) == "pending expired")
        #expect(try await ask([other]) == 1)
        #expect(
          try await stored.value(
            "SELECT string_agg(reason, ' ' ORDER BY detection_id) FROM face_match_candidate")
            == "bootstrap_conflict verified")
        for answer in ["accepted", "rejected"] {
          try await stored.pool.query("UPDATE face_match_candidate SET status = '\(answer)'")
          #expect(try await ask(questions) == 0)
          #expect(try await statuses(stored) == "\(answer) \(answer)")
        }
        let pairs = questions.map { ($0.detectionID, $0.clusterID) }
        let asked = try await stored.pool.withTransaction { try review.asked(pairs, on: $0) }
        #expect(asked[stored.faces[0]] == [stored.cluster])
      }
    }

    /// A yes holds while the face is with that person, a no for ever.
    @Test func aYesIsAskedAgainOnceTheFaceWasTakenAway() async throws {
      try await StoredCollection.run { stored in
        let review = ReviewRepository(stored.collection)
        let questions = (0..<4).map { index in
          var question = self.question(stored, index)
          if index < 3 { question.reason = "verified" }
          return question
        }
        func ask() async throws -> Int {
          try await stored.pool.withTransaction { try review.ask(questions, on: $0) }
        }
        #expect(try await ask() == 4)
        try await stored.pool.query("UPDATE face_match_candidate SET status = 'accepted'")
        try await stored.pool.query(
          "UPDATE face_match_candidate SET status = 'rejected' WHERE detection_id = $1",
          [.int64(stored.faces[2])])
        #expect(try await ask() == 0)
        // All but the second are taken away; whether density was right is not asked twice.
        try await stored.pool.withTransaction { connection in
          _ = try DetectionRepository(stored.collection).place(
            [0, 2, 3].map {
              Placement(detectionID: stored.faces[$0], status: .pending, tier: "epsilon_ball")
            }, runID: nil, on: connection)
        }
        #expect(try await ask() == 1)
        #expect(try await statuses(stored) == "pending accepted rejected accepted")
      }
    }

    @Test func everythingForbiddenIsFound() async throws {
      try await StoredCollection.run { stored in
        let review = ReviewRepository(stored.collection)
        let (faces, cluster, person) = (stored.faces, stored.cluster, stored.person)
        try await stored.pool.withTransaction {
          try review.ask([question(stored, 0)], on: $0)
          try $0.query("UPDATE face_match_candidate SET status = 'rejected'")
          try review.forbid([(faces[1], cluster, person)], actor: "a", on: $0)
          // Saying it twice is saying it once.
          try review.forbid([(faces[1], cluster, person)], actor: "b", on: $0)
          try review.constrain(faces[3], faces[2], mustLink: false, actor: nil, on: $0)
          try review.constrain(faces[4], faces[5], mustLink: true, actor: nil, on: $0)
        }
        let found = try await stored.pool.withTransaction {
          try review.prohibitions(detections: faces, on: $0)
        }
        #expect(found.clusters == [faces[0]: [cluster], faces[1]: [cluster]])
        // A cluster that is forbidden forbids its person.
        #expect(found.persons == [faces[0]: [person], faces[1]: [person]])
        #expect(found.detections == [faces[2]: [faces[3]], faces[3]: [faces[2]]])
        try await stored.pool.withTransaction {
          for face in [faces[0], faces[1]] {
            try review.allow(
              detections: [face], clusters: [cluster], persons: [person], on: $0)
          }
        }
        let rest = try await stored.pool.withTransaction {
          try review.prohibitions(detections: faces, on: $0)
        }
        #expect(rest.clusters.isEmpty && rest.persons.isEmpty)
        #expect(try await statuses(stored) == "expired")
      }
    }

    @Test func anOpinionThatChangesReplacesTheOldOne() async throws {
      try await StoredCollection.run { stored in
        let review = ReviewRepository(stored.collection)
        try await stored.pool.withTransaction {
          try review.constrain(
            stored.faces[0], stored.faces[1], mustLink: false, actor: nil, on: $0)
          try review.constrain(
            stored.faces[1], stored.faces[0], mustLink: true, actor: nil, on: $0)
        }
        #expect(try await stored.value("SELECT kind FROM detection_constraint") == "must_link")
      }
    }
  }
}
