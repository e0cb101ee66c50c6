import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Embeddings that another program spoilt in the table: found, named, never fitted or followed.
  @Suite struct UnusableEmbeddingTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }
    /// Four float32 values, little endian, the first of them NaN.
    private static let nan = "decode('0000c07f' || repeat('00', 12), 'hex')"
    private static let zero = "decode(repeat('00', 16), 'hex')"
    private static let long = "decode(repeat('0000803f', 4), 'hex')"

    private func spoil(_ test: TestStage, _ id: String, _ bytes: String) async throws {
      try await test.pool.query(
        """
        UPDATE face_embedding e SET embedding = \(bytes) FROM person_detection d
        WHERE d.id = e.detection_id AND d.external_id = $1
        """, [.text(id)])
    }

    @Test func aBootstrapSetsThemAsideWhereverTheyWere() async throws {
      try await TestStage.run(dimension: 4) { test in
        var file = Circle.file(Self.angles + [1, 2])
        for index in 24...25 { file.faces[index].confidence = 0.5 }
        _ = try await test.stage.importFaces(file)
        _ = try await test.stage.bootstrap()
        #expect(try await test.stage.assign().assigned.predict == 2)
        let cluster = try #require(try await test.faces()["face-12"]?.clusterID)
        _ = try await test.stage.assign(externalID: "face-12", to: .cluster(cluster))
        // A fitted face, a new one, one that the fit does not see, and one that a human placed.
        _ = try await test.stage.importFaces(Circle.file([3], prefix: "new"))
        try await spoil(test, "face-0", Self.nan)
        try await spoil(test, "new-0", Self.zero)
        try await spoil(test, "face-24", Self.long)
        try await spoil(test, "face-12", Self.nan)
        let before = try await test.fingerprint()
        let dry = try await test.stage.bootstrap(dryRun: true)
        #expect(try await test.fingerprint() == before)
        let report = try await test.stage.bootstrap()
        #expect(report.embeddingCount == 22)
        #expect(report.clusterCount == 4)
        #expect(report.invalid == 3)
        #expect(
          report.invalidFaces == [
            InvalidFace(externalID: "face-0", reason: "the embedding is not finite"),
            InvalidFace(externalID: "face-24", reason: "the embedding is not of unit length"),
            InvalidFace(externalID: "new-0", reason: "the embedding is all zero"),
          ])
        #expect(dry.invalidFaces == report.invalidFaces && dry.moved == report.moved)
        try await test.expectInvariants()
        let faces = try await test.faces()
        for id in ["face-0", "face-24", "new-0"] {
          #expect(faces[id]?.status == "invalid")
          #expect(faces[id]?.clusterID == nil)
        }
        #expect(faces["face-12"]?.status == "manual")
        #expect(faces["face-12"]?.clusterID == cluster)
        #expect(
          try await test.value(
            "SELECT count(*) FROM person_detection WHERE invalid_reason IS NOT NULL") == "3")
        // They are not looked at again, and tier 1 works.
        #expect(try await test.stage.assign(force: true).invalid == 0)
        _ = try await test.stage.importFaces(Circle.file([4], prefix: "late"))
        #expect(try await test.stage.assign().assigned.predict == 1)
      }
    }

    @Test func anotherLengthOrNoneKeepsNobodyElseBack() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Circle.file([1, 2, 3], prefix: "new"))
        try await test.pool.query(
          "ALTER TABLE face_embedding DROP CONSTRAINT embedding_has_the_dimension")
        for id in ["face-6", "new-0"] { try await spoil(test, id, "'\\x0000'::bytea") }
        try await test.pool.query(
          """
          DELETE FROM face_embedding USING person_detection d
          WHERE d.id = detection_id AND d.external_id = 'new-1'
          """)
        let report = try await test.reopened().stage.assign()
        #expect(report.assigned.predict == 1)
        #expect(report.invalid == 2)
        #expect(
          report.invalidFaces == [
            InvalidFace(
              externalID: "new-0",
              reason: "the embedding has another length than the collection's, or is all NaN"),
            InvalidFace(externalID: "new-1", reason: "it has no embedding"),
          ])
        #expect(try await test.stage.counts().byStatus["new"] == nil)
        #expect(try await test.stage.bootstrap().invalid == 1)
        #expect(try await test.faces()["face-6"]?.status == "invalid")
      }
    }

    @Test func nothingUsableIsOneLine() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([1, 2]))
        try await spoil(test, "face-0", Self.nan)
        try await spoil(test, "face-1", Self.zero)
        let error = await #expect(throws: BootstrapError.self) { try await test.stage.bootstrap() }
        #expect(
          error?.description
            == "none of the 2 eligible faces of collection “faces” has a usable embedding: "
            + "face-0 (the embedding is not finite), face-1 (the embedding is all zero); "
            + "import them again under new ids")
      }
    }

    @Test func assigningTakesThemOutOfTheirClusters() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        // The third is near nobody.
        _ = try await test.stage.importFaces(Circle.file([3, 4, 90], prefix: "new"))
        let first = try await test.stage.assign()
        #expect(first.assigned.predict == 2 && first.unassigned == 1)
        try await spoil(test, "new-0", Self.nan)
        try await spoil(test, "new-2", Self.nan)
        let report = try await test.stage.assign(force: true)
        #expect(report.invalid == 2)
        #expect(
          report.invalidFaces == [
            InvalidFace(externalID: "new-0", reason: "the embedding is not finite"),
            InvalidFace(externalID: "new-2", reason: "the embedding is not finite"),
          ])
        #expect(try await test.faces()["new-0"]?.clusterID == nil)
        try await test.expectInvariants()
        // Whoever moves or deletes a spoilt face leaves a sum of the others behind.
        try await spoil(test, "new-1", Self.zero)
        let other = try #require(try await test.faces()["face-6"]?.clusterID)
        _ = try await test.stage.assign(externalID: "new-1", to: .cluster(other))
        try await test.expectInvariants()
        try await spoil(test, "face-7", Self.nan)
        _ = try await test.stage.deleteFaces(externalIDs: ["face-7"])
        try await test.expectInvariants()
        await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalID: "new-1", to: .newPerson(name: nil))
        }
      }
    }

    @Test func thePoolDoesNotGatherAroundThem() async throws {
      try await TestStage.run(dimension: 4) { test in
        // As after the seconds in which a process trusts the vectors that it remembers.
        let test = try await test.reopened(models: ModelCache(recountAfter: .zero))
        _ = try await test.stage.importFaces(Circle.file([10, 60, 110, 160, 210]))
        #expect(try await test.stage.assign().unassigned == 5)
        for face in 0..<4 { try await spoil(test, "face-\(face)", Self.nan) }
        _ = try await test.stage.importFaces(Circle.file([260], prefix: "new"))
        let report = try await test.stage.assign()
        #expect(report.newClusters == 0)
        #expect(report.invalid == 4)
        #expect(try await test.stage.counts().byStatus == ["invalid": 4, "unassigned": 2])
      }
    }
  }
}
