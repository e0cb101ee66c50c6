import PostgresClient
import Store
import TestSupport
import Testing

extension RepositoriesOnPostgres {
  /// Run records, locks and what errors say.
  @Suite struct RunAndLockTests {
    @Test func oneRunIsActiveAndItsNumbersComeBack() async throws {
      try await StoredCollection.run { stored in
        let runs = RunRepository(stored.collection)
        let result = RunResult(
          embeddingCount: 9, clusterCount: 2, noiseCount: 3,
          condensedTreeJSON: #"[{"lambda_death": "Infinity"}]"#, labelToClusterJSON: "{}",
          metricsJSON: #"{"a": 1}"#, timingsJSON: #"{"fit": 0.5}"#,
          peakMemoryBytes: 5_000_000_000)
        let second = try await stored.pool.withTransaction { connection in
          let id = try runs.start(
            parametersJSON: #"{"K": "v"}"#, minClusterSize: 4, minSamples: 3, on: connection)
          #expect(try runs.running(on: connection) == id)
          #expect(try runs.activeID(on: connection) == stored.run)
          try runs.keepModel([1, 2, 3], of: id, on: connection)
          try runs.keepResult(result, of: id, on: connection)
          try runs.complete(id, on: connection)
          return id
        }
        try await stored.pool.withTransaction { connection in
          #expect(try runs.activeID(on: connection) == second)
          let record = try runs.find(second, on: connection)
          #expect(record.embeddingCount == 9)
          #expect(record.clusterCount == 2)
          #expect(record.noiseCount == 3)
          #expect(record.minClusterSize == 4)
          #expect(record.minSamples == 3)
          #expect(record.parametersJSON == #"{"K": "v"}"#)
          #expect(record.peakMemoryBytes == 5_000_000_000)
          #expect(record.error == nil)
          #expect((record.finishedAt ?? 0) >= (record.startedAt ?? .infinity))
          let state = try runs.state(of: second, on: connection)
          #expect(state.blob == [1, 2, 3])
          #expect(state.condensedTreeJSON.contains("Infinity"))
          #expect(try runs.list(on: connection).map(\.id) == [second, stored.run])
          #expect(try runs.list(on: connection).map(\.isActive) == [true, false])
          // A run that is over does not fail afterwards.
          try runs.fail(second, reason: "late", on: connection)
          try runs.failAbandoned(on: connection)
          #expect(try runs.find(second, on: connection).status == "completed")
          #expect(throws: StoreError.unknownRun(99, collection: "faces")) {
            try runs.find(99, on: connection)
          }
        }
      }
    }

    @Test func aRunThatFailsSaysWhy() async throws {
      try await StoredCollection.run { stored in
        let runs = RunRepository(stored.collection)
        try await stored.pool.withTransaction { connection in
          let id = try runs.start(
            parametersJSON: "{}", minClusterSize: 3, minSamples: 2, on: connection)
          try runs.fail(id, reason: "out of luck", on: connection)
          let record = try runs.find(id, on: connection)
          #expect(record.status == "failed")
          #expect(record.error == "out of luck")
          #expect(record.finishedAt != nil)
          #expect(try runs.activeID(on: connection) == stored.run)
          #expect(throws: StoreError.unknownRun(id, collection: "faces")) {
            try runs.state(of: id, on: connection)
          }
          // What has ended does not begin again, nor end otherwise.
          #expect(!(try runs.isRunning(id, on: connection)))
          #expect(throws: StoreError.self) { try runs.complete(id, on: connection) }
          try runs.cancel(id, reason: "late", on: connection)
          #expect(try runs.find(id, on: connection).status == "failed")
        }
      }
    }

    @Test func aDemoIsDeletedWithPersonsThatItsRunPutTogether() async throws {
      try await StoredCollection.run { stored in
        let (collection, run, cluster) = (stored.collection, stored.run, stored.cluster)
        try await stored.pool.withTransaction { connection in
          try PersonAssociationRepository(collection).associate(
            [PersonAssociation(clusterID: cluster, movesToPersonID: nil, surplus: 0)], runID: run,
            on: connection)
          try connection.query("DELETE FROM face_embedding")
          try connection.query("UPDATE person_detection SET external_id = 'demo-' || id")
          try connection.query(
            "UPDATE collection SET embedding_model = $1", [.text(CollectionRepository.demoModel)])
        }
        try await stored.pool.withTransaction {
          try CollectionRepository().deleteDemo(collection.name, on: $0)
        }
        #expect(try await stored.value("SELECT count(*) FROM collection") == "0")
      }
    }

    @Test func theLockOfABootstrapIsOfOneSessionAndCollection() async throws {
      try await StoredCollection.run { stored in
        let other = try await StoredCollection.make(stored.pool, name: "others")
        let locks = CollectionLocks(stored.collection)
        let holder = try await PostgresConnection.connect(
          stored.pool.configuration, logger: TestServer.silentLogger)
        #expect(try await holder.tryLock(locks))
        try await stored.pool.withTransaction { connection in
          #expect(try !locks.tryBootstrap(on: connection))
          let theirs = CollectionLocks(other.collection)
          #expect(try theirs.tryBootstrap(on: connection))
          try theirs.releaseBootstrap(on: connection)
        }
        // A session that ends takes its lock with it.
        await holder.close()
        var free = false
        for _ in 0..<3_000 where !free {
          free = try await stored.pool.withTransaction { connection in
            let got = try locks.tryBootstrap(on: connection)
            if got { try locks.releaseBootstrap(on: connection) }
            return got
          }
          if !free { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(free)
      }
    }

    @Test func manyMayMoveFacesButABootstrapMovesThemAlone() async throws {
      try await StoredCollection.run { stored in
        let locks = CollectionLocks(stored.collection)
        try await stored.pool.withTransaction { connection in
          try locks.shareMembership(on: connection)
        }
        let holder = try await PostgresConnection.connect(
          stored.pool.configuration, logger: TestServer.silentLogger)
        try await holder.execute(script: "BEGIN")
        try await holder.share(locks)
        try await stored.pool.withTransaction { try locks.shareMembership(on: $0) }
        let error = await #expect(throws: PostgresError.self) {
          try await stored.pool.withTransaction(maxAttempts: 1) { connection in
            try connection.query("SET LOCAL lock_timeout = '50ms'")
            try locks.ownMembership(on: connection)
          }
        }
        #expect(error?.description.contains("lock timeout") ?? false)
        try await holder.execute(script: "COMMIT")
        try await stored.pool.withTransaction { try locks.ownMembership(on: $0) }
        await holder.close()
      }
    }

    @Test func errorsAreOneLineThatSaysWhatToDo() {
      let errors: [StoreError] = [
        .unknownCollection(name: "x", known: []), .unknownCollection(name: "x", known: ["a", "b"]),
        .unknownRun(1, collection: "c"), .unknownDetection("d", collection: "c"),
        .unknownCluster(1, collection: "c"), .unknownPerson(1, collection: "c"),
        .collectionMismatch(name: "c", what: "embeddings of dimension", stored: "4", given: "5"),
        .damaged(table: "cluster", id: 3, what: "sum of wrong length"),
        .unknownCollection(name: "x", known: (1...12).map { "c\($0)" }),
      ]
      for error in errors { #expect(!error.description.contains("\n")) }
      #expect(
        errors[0].description
          == "there is no collection “x”; none exists yet: `photodb import` makes one")
      #expect(errors[1].description == "there is no collection “x”; known: a, b")
      #expect(errors[7].description == "row 3 of table cluster is damaged: sum of wrong length")
      #expect(
        errors[8].description == "there is no collection “x”; known: c1, c2, c3, c4, c5, c6, c7, "
          + "c8, c9, c10 and 2 more")
    }
  }
}

extension PostgresConnection {
  fileprivate func tryLock(_ locks: CollectionLocks) throws -> Bool {
    try locks.tryBootstrap(on: self)
  }

  fileprivate func share(_ locks: CollectionLocks) throws {
    try locks.shareMembership(on: self)
  }
}
