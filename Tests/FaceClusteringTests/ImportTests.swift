import FaceClustering
import Foundation
import PostgresClient
import Store
import TensorFiles
import TestSupport
import Testing
import Vectors

extension OnPostgres {
  /// Faces come in whole, once, normalised; what is unusable is named and keeps nobody back.
  @Suite struct ImportTests {
    @Test func theSameImportTwiceChangesNothing() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let file = fixture.file(Array(0..<300))
        let first = try await test.stage.importFaces(file)
        #expect(first.read == 300)
        #expect(first.imported == 300)
        #expect(first.skipped == 0)
        #expect(first.rejected == [])
        let before = try await test.fingerprint()
        let second = try await test.stage.importFaces(file)
        #expect(second.imported == 0)
        #expect(second.skipped == 300)
        #expect(try await test.fingerprint() == before)
        #expect(try await test.value("SELECT count(*) FROM photo") == "300")
        // The vectors come back as they are, in order of id.
        let stored = try await test.stage.faces()
        #expect(stored.count == 300)
        for row in [0, 17, 299] {
          let distance = zip(
            stored.embeddings.values(ofRow: row), fixture.embeddings.values(ofRow: row)
          ).map { abs($0 - $1) }.max()
          #expect((distance ?? 1) < 1e-6)
        }
      }
    }

    @Test func unusableRowsAreNamedAndTheOthersComeIn() async throws {
      try await TestStage.run(dimension: 4) { test in
        let good: [Float] = [1, 2, 3, 4]
        var rows = [[Float]](repeating: good, count: 12)
        rows[1][2] = .nan
        rows[2][0] = .infinity
        rows[3] = [0, 0, 0, 0]
        var faces = (0..<12).map { IncomingFace(externalID: "f\($0)", photo: "p") }
        faces[4].externalID = "f0"
        faces[5].box = FaceBox(x: 0, y: 0, width: 0, height: 10)
        faces[6].box = FaceBox(x: .nan, y: 0, width: 5, height: 10)
        faces[7].confidence = 1.5
        faces[8].externalID = ""
        faces[9].confidence = .nan
        faces[10].box = FaceBox(x: -3, y: 2, width: 60, height: 70)
        faces[10].confidence = 0.9
        let report = try await test.stage.importFaces(
          FaceFile(faces: faces, rows: Array(0..<12), embeddings: Matrix(rows)))
        #expect(report.imported == 3)
        #expect(report.rejected.map(\.row) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        let reasons = Dictionary(
          uniqueKeysWithValues: report.rejected.map { ($0.row, $0.reason) })
        #expect(reasons[1] == "the embedding holds NaN or infinity")
        #expect(reasons[3] == "the embedding is all zero")
        #expect(reasons[4] == "the external id “f0” is already that of row 0")
        #expect(reasons[5] == "the face box is empty or not finite")
        #expect(reasons[7] == "the confidence 1.5 lies outside 0…1")
        #expect(Set(try await test.faces().keys) == ["f0", "f10", "f11"])
      }
    }

    /// They would fail the statement that stores all others with them.
    @Test func whatAnIndexOrATerminalCannotTakeIsRejectedByRow() async throws {
      try await TestStage.run(dimension: 4) { test in
        var file = Circle.file([0, 10, 20, 30, 40, 50, 60])
        file.faces[0].externalID = String(repeating: "é", count: 512)
        file.faces[1].externalID = String(repeating: "x", count: 1_025)
        file.faces[2].photo = String(repeating: "x", count: 2_049)
        file.faces[3].externalID = "a\u{1B}[2Jb"
        file.faces[4].photo = "p\u{7F}"
        file.faces[5].externalID = "c\u{9B}d"
        file.faces[6].photo = String(repeating: "x", count: 2_048)
        let report = try await test.stage.importFaces(file)
        #expect(report.imported == 2)
        #expect(
          report.rejected == [
            RejectedRow(row: 1, reason: "the external id is longer than 1,024 bytes"),
            RejectedRow(row: 2, reason: "the photo's path is longer than 2,048 bytes"),
            RejectedRow(row: 3, reason: "the external id holds control characters"),
            RejectedRow(row: 4, reason: "the photo's path holds control characters"),
            RejectedRow(row: 5, reason: "the external id holds control characters"),
          ])
        #expect(try await test.stage.importFaces(file).skipped == 2)
      }
    }

    /// PostgreSQL would refuse the whole chunk.
    @Test func timesOutsideTheCalendarAreRejectedByRow() async throws {
      try await TemporaryFolder.with { folder in
        let path = "\(folder)/times.jsonl"
        let times = [
          "1e18", "1700000000000000", "1700000000000", "-1e15", "\"9999-12-31T23:59:59-01:00\"",
          "\"9999-12-31T23:59:59Z\"", "-62135596800", "1717171449.5",
        ]
        let lines = times.enumerated().map { row, time in
          #"{"embedding": [1, 0, 0, \#(row)], "photo": "p\#(row)", "taken_at": \#(time)}"#
        }
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        try await TestStage.run(dimension: 4) { test in
          let report = try await test.stage.importFaces(FaceFile.read(path))
          #expect(report.imported == 3)
          #expect(report.rejected.map(\.row) == [1, 2, 3, 4, 5])
          for row in report.rejected {
            #expect(row.reason.hasPrefix("taken_at "))
            #expect(
              row.reason.hasSuffix("write seconds since 1970, not milliseconds, or ISO 8601"))
          }
          let stored = try await test.value(
            "SELECT string_agg(path || ' ' || extract(epoch FROM taken_at), ', ' ORDER BY path) "
              + "FROM photo")
          #expect(
            stored == "p5 253402300799.000000, p6 -62135596800.000000, p7 1717171449.500000")
        }
      }
    }

    @Test func aPhotoTakesTheFirstTimeThatIsToldOfIt() async throws {
      try await TestStage.run(dimension: 4) { test in
        func store(_ faces: [(photo: String, time: Double?)], _ prefix: String) async throws {
          var file = Circle.file(faces.indices.map { 7 * Double($0) }, prefix: prefix)
          for (index, face) in faces.enumerated() {
            file.faces[index].photo = face.photo
            file.faces[index].takenAt = face.time
          }
          #expect(try await test.stage.importFaces(file).imported == faces.count)
        }
        func times() async throws -> String? {
          try await test.value(
            """
            SELECT string_agg(path || ' ' || coalesce(extract(epoch FROM taken_at)::int::text, '–'),
              ', ' ORDER BY path) FROM photo
            """)
        }
        // Rows of one photo with and without a time, in either order.
        try await store(
          [("a", nil), ("b", nil), ("b", 20), ("c", 30), ("c", nil), ("d", nil)], "first")
        #expect(try await times() == "a –, b 20, c 30, d –")
        try await store(
          [("d", nil), ("a", nil), ("a", 10), ("a", 11), ("b", 21), ("c", nil), ("e", 50)], "second"
        )
        #expect(try await times() == "a 10, b 20, c 30, d –, e 50")
        try await store([("a", 12), ("d", 40)], "third")
        #expect(try await times() == "a 10, b 20, c 30, d 40, e 50")
      }
    }

    /// The photos of one chunk are there, without times, when the next one comes.
    @Test func timesAreTakenFromLaterChunks() async throws {
      try await TestStage.run(dimension: 4) { test in
        let count = 10_000
        var file = Circle.file((0..<2 * count).map { 0.01 * Double($0) })
        for index in file.faces.indices {
          file.faces[index].photo = "p\(index % count)"
          file.faces[index].takenAt = index < count ? nil : Double(index - count)
        }
        let report = try await test.stage.importFaces(file)
        #expect(report.imported == 2 * count)
        #expect(
          try await test.value(
            "SELECT count(*) FROM photo WHERE path = 'p' || extract(epoch FROM taken_at)::int")
            == "\(count)")
      }
    }

    @Test func importsThatTellTimesOfTheSamePhotosAtOnceWaitForNobodyForEver() async throws {
      try await TestStage.run(dimension: 4) { test in
        let angles = (0..<200).map(Double.init)
        var bare = Circle.file(angles, prefix: "bare")
        for index in angles.indices { bare.faces[index].photo = "p\(index)" }
        _ = try await test.stage.importFaces(bare)
        let stage = test.stage
        try await withThrowingTaskGroup(of: Void.self) { group in
          for round in 0..<4 {
            var file = Circle.file(angles, prefix: "told-\(round)")
            for index in angles.indices {
              let photo = round % 2 == 0 ? index : angles.count - 1 - index
              file.faces[index].photo = "p\(photo)"
              file.faces[index].takenAt = Double(photo)
            }
            let told = file
            group.addTask {
              let report = try await stage.importFaces(told)
              #expect(report.imported == angles.count)
            }
          }
          try await group.waitForAll()
        }
        #expect(
          try await test.value(
            "SELECT count(*) FROM photo WHERE path = 'p' || extract(epoch FROM taken_at)::int")
            == "200")
      }
    }

    /// Swift takes both for the same text.
    @Test func idsAndPathsAreToldApartByTheirBytes() async throws {
      let (one, other) = ("caf\u{E9}", "cafe\u{301}")
      #expect(one == other)
      try await TestStage.run(dimension: 4) { test in
        var file = Circle.file([0, 90])
        file.faces = [one, other].map { IncomingFace(externalID: $0, photo: $0) }
        for imported in [2, 0] {
          let report = try await test.stage.importFaces(file)
          #expect(report.imported == imported && report.skipped == 2 - imported)
          #expect(report.rejected == [] && report.conflicting == 0)
        }
        #expect(
          try await test.value(
            """
            SELECT count(*) FROM person_detection d JOIN photo p
            ON p.collection_id = d.collection_id AND p.id = d.photo_id AND p.path = d.external_id
            """) == "2")
        #expect(try await test.stage.deleteFaces(externalIDs: [other]) == 1)
        await #expect(throws: StoreError.unknownDetection(other, collection: "faces")) {
          try await test.stage.assign(
            externalIDs: [one, other], to: .newPerson(name: nil), dryRun: true)
        }
        // A photo that is there is found by its bytes, too.
        file.faces = [IncomingFace(externalID: "x", photo: one)]
        file.embeddings = Circle.file([180]).embeddings
        file.rows = [0]
        #expect(try await test.stage.importFaces(file).imported == 1)
        #expect(try await test.value("SELECT count(*) FROM photo") == "2")
      }
    }

    @Test func collectionsAreFoundByTheBytesOfTheirNamesWhichHoldNoControlCharacters() async throws
    {
      try await TestStage.run(dimension: 4) { test in
        func open(_ name: String) async throws -> FaceClustering {
          try await FaceClustering.openOrCreate(
            pool: test.pool, collection: name, embeddingModel: nil, dimension: 4,
            logger: TestServer.silentLogger)
        }
        _ = try await open("caf\u{E9}")
        let other = try await FaceClustering.dimension(
          ofCollection: "cafe\u{301}", pool: test.pool)
        #expect(other == nil)
        for name in ["\u{1B}[31mred", "a\nb", "\u{9B}x"] {
          await #expect(
            throws: StoreError.unusableName(reason: "holds control characters")
          ) { try await open(name) }
          // One that an older program made stays usable.
          try await test.pool.query(
            "INSERT INTO collection (name, embedding_model, embedding_dim) VALUES ($1, 'm', 4)",
            [.text(name)])
          #expect(try await open(name).collection.name == name)
        }
      }
    }

    @Test func modelsHaveNamesThatCanBeShown() async throws {
      try await TestStage.run(dimension: 4) { test in
        func open(_ collection: String, _ model: String) async throws -> FaceClustering {
          try await FaceClustering.openOrCreate(
            pool: test.pool, collection: collection, embeddingModel: model, dimension: 4,
            logger: TestServer.silentLogger)
        }
        let longest = String(repeating: "é", count: 256)
        #expect(try await open("long", longest).collection.embeddingModel == longest)
        for (model, reason) in [
          ("", "is empty"), ("a\nb", "holds control characters"),
          ("a\0b", "holds control characters"), (longest + "x", "is longer than 256 characters"),
        ] {
          // Neither a new collection nor one that has another model.
          for collection in ["new", "faces"] {
            await #expect(throws: StoreError.unusableModel(reason: reason)) {
              try await open(collection, model)
            }
          }
        }
        #expect(try await test.value("SELECT count(*) FROM collection") == "2")
        // One that an older program made stays usable.
        try await test.pool.query(
          "INSERT INTO collection (name, embedding_model, embedding_dim) VALUES ('old', $1, 4)",
          [.text("a\nb")])
        #expect(try await open("old", "a\nb").collection.name == "old")
      }
    }

    @Test(arguments: [0, 16_385]) func aLengthThatCannotBeStoredIsRefused(
      dimension: Int
    ) async throws {
      try await TestStage.run(dimension: 4) { test in
        let error = await #expect(throws: StoreError.self) {
          try await FaceClustering.openOrCreate(
            pool: test.pool, collection: "wide", embeddingModel: nil, dimension: dimension,
            logger: TestServer.silentLogger)
        }
        #expect(error == .dimensionOutOfRange(dimension, limits: 1...16_384))
        #expect(error?.description.contains("1 and 16384") == true)
      }
    }

    @Test func vectorsOfAnotherLengthOrModelAreRefused() async throws {
      try await TestStage.run(dimension: 5) { test in
        let error = await #expect(throws: StoreError.self) {
          try await test.stage.importFaces(Circle.file([0, 10]))
        }
        #expect(
          error?.description
            == "collection “faces” holds embeddings of dimension 5, but 4 was given")
        await #expect(throws: StoreError.self) {
          try await FaceClustering.openOrCreate(
            pool: test.pool, collection: "faces", embeddingModel: "another", dimension: 5,
            logger: TestServer.silentLogger)
        }
        await #expect(throws: StoreError.self) {
          try await FaceClustering.open(
            pool: test.pool, collection: "nobody", logger: TestServer.silentLogger)
        }
      }
    }

    @Test func rawNormsAreNormalisedAndTheDatabaseRefusesOthers() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let rows = Array(0..<40)
        var file = fixture.file(rows)
        file.embeddings = Matrix(rows.map { fixture.embeddings.values(ofRow: $0).map { 20 * $0 } })
        #expect(try await test.stage.importFaces(file).imported == 40)
        let stored = try await test.stage.faces().embeddings
        for row in rows { #expect(abs(stored.dotProduct(row, row) - 1) < 1e-6) }
        await #expect(throws: PostgresError.self) {
          try await test.pool.query("UPDATE face_embedding SET norm = 20")
        }
        await #expect(throws: PostgresError.self) {
          try await test.pool.query("UPDATE face_embedding SET embedding = '\\x00'")
        }
      }
    }

    @Test func importsOfTheSameIdsAtOnceTakeEachOnce() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        let rows = Array(0..<400)
        let files = [rows, rows.reversed(), Array(rows[100...]), Array(rows[..<300])]
          .map { fixture.file($0) }
        let stage = test.stage
        let imported = try await withThrowingTaskGroup(of: Int.self) { group in
          for file in files {
            group.addTask { try await stage.importFaces(file).imported }
          }
          return try await group.reduce(0, +)
        }
        #expect(imported == 400)
        #expect(try await test.stage.counts().total == 400)
        #expect(try await test.value("SELECT count(*) FROM photo") == "400")
      }
    }

    @Test func theSameIdWithAnotherVectorIsCountedAndTheStoredOneStays() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([0, 10, 20]))
        let before = try await test.fingerprint()
        let stored = try await test.stage.faces().embeddings
        // The first is the same but for its scale, the second is not, the third is new.
        var file = Circle.file([0, 11, 30])
        file.faces[2].externalID = "face-3"
        file.embeddings = Matrix([
          Circle.vector(0).map { 7 * $0 }, Circle.vector(11), Circle.vector(30),
        ])
        let report = try await test.stage.importFaces(file)
        #expect(report.read == 3 && report.imported == 1)
        #expect(report.skipped == 2)
        #expect(report.conflicting == 1)
        #expect(report.conflictingIDs == ["face-1"])
        _ = try await test.stage.deleteFaces(externalIDs: ["face-3"])
        #expect(try await test.fingerprint() == before)
        let after = try await test.stage.faces().embeddings
        for row in 0..<3 { #expect(after.values(ofRow: row) == stored.values(ofRow: row)) }
      }
    }

    @Test func theLengthOfLinesIsThatOfTheCollectionOrOfMost() async throws {
      try await TemporaryFolder.with { folder in
        let path = "\(folder)/mixed.jsonl"
        let lines = """
          {"embedding": [1, 0, 0]}
          {"embedding": [1, 0, 0, 0]}
          {"embedding": [0, 1, 0, 0]}
          {"embedding": [0, 1]}
          """
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
        let most = try FaceFile.read(path)
        #expect(most.embeddings.columns == 4)
        #expect(most.rows == [2, 3])
        #expect(most.embeddings.values(ofRow: 1) == [0, 1, 0, 0])
        #expect(
          most.rejected == [
            RejectedRow(row: 1, reason: "the embedding has 3 values, not 4 like most of the file"),
            RejectedRow(row: 4, reason: "the embedding has 2 values, not 4 like most of the file"),
          ])
        let known = try FaceFile.read(path, dimension: 3)
        #expect(known.rows == [1])
        #expect(known.rejected.map(\.row) == [2, 3, 4])
        #expect(
          known.rejected[0].reason == "the embedding has 4 values, not 3 like the collection")
        #expect(try FaceFile.read(path, dimension: 5).faces.isEmpty)
        try await TestStage.run(dimension: 4) { test in
          let known = try await FaceClustering.dimension(ofCollection: "faces", pool: test.pool)
          #expect(known == 4)
          let unknown = try await FaceClustering.dimension(ofCollection: "none", pool: test.pool)
          #expect(unknown == nil)
        }
      }
    }

    @Test(arguments: ["npz", "safetensors"])
    func factsInDoublePrecisionAreTakenAndCheckedAsOthersAre(kind: String) async throws {
      try await TemporaryFolder.with { folder in
        let path = "\(folder)/faces.\(kind)"
        let confidences: [Double] = [0.75, 1.5, 0.5, .nan]
        let boxes: [Double] = [1, 2, 60, 70, 1, 2, 60, 70, 1e300, 2, 60, 70, 1, 2, 60, 70]
        let tensors = [
          "embeddings": Tensor(Circle.file([0, 30, 60, 90]).embeddings),
          "confidence": Tensor(confidences), "bbox": Tensor(boxes, shape: [4, 4]),
        ]
        if kind == "npz" {
          try NumpyArchive.write(tensors, to: path)
        } else {
          try SafetensorsContent(tensors: tensors).write(to: path)
        }
        let file = try FaceFile.read(path)
        #expect(file.faces[0].confidence == 0.75)
        #expect(file.faces[0].box == FaceBox(x: 1, y: 2, width: 60, height: 70))
        try await TestStage.run(dimension: 4) { test in
          let report = try await test.stage.importFaces(file)
          #expect(report.imported == 1)
          #expect(
            report.rejected.map(\.reason) == [
              "the confidence 1.5 lies outside 0…1", "the face box is empty or not finite",
              "the confidence nan lies outside 0…1",
            ])
        }
      }
    }

    @Test func linesOfAFileAreReadAndBadOnesNamed() async throws {
      try await TemporaryFolder.with { folder in
        let path = "\(folder)/faces.jsonl"
        let lines = """
          {"embedding": [1, 0, 0, 0], "photo": "a.jpg", "confidence": 0.99, "bbox": [1, 2, 60, 70]}
          {"embedding": [1, 0, 0]}
          not json
          {"embedding": [0, 1, 0, 0], "external_id": "x"}
          """
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
        try await TestStage.run(dimension: 4) { test in
          let report = try await test.stage.importFaces(FaceFile.read(path))
          #expect(report.read == 4)
          #expect(report.imported == 2)
          #expect(report.rejected.map(\.row) == [2, 3])
          #expect(Set(try await test.faces().keys) == ["faces.jsonl:1", "x"])
        }
      }
    }
  }
}
