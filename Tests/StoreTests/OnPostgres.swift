import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

/// Tests of the repositories run one after the other: they share two processors.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RepositoriesOnPostgres {}

/// A collection with six faces in one cluster, and a completed run.
struct StoredCollection: Sendable {
  let pool: PostgresPool
  let collection: CollectionRecord
  let faces: [Int64]
  let cluster: Int64
  let person: Int64
  let run: Int64

  static func run(_ body: (StoredCollection) async throws -> Void) async throws {
    try await TestServer.shared.withFreshDatabase { pool in
      try await body(try await make(pool, name: "faces"))
    }
  }

  static func make(_ pool: PostgresPool, name: String) async throws -> StoredCollection {
    try await pool.withTransaction { connection in
      let collection = try CollectionRepository().findOrCreate(
        name, embeddingModel: "test", dimension: 2, on: connection)
      let unit = Matrix<Float>((0..<6).map { _ in [1, 0] })
      try FaceImportRepository(collection).insert(
        (0..<6).map { IncomingFace(externalID: "f\($0)", photo: "p\($0 / 2)") },
        rows: Array(0..<6), embeddings: unit, norms: [Float](repeating: 1, count: 6),
        on: connection)
      let faces = try FaceReader(collection).all(on: connection).ids
      let facts = ClusterFacts(
        faceCount: 6, coreCount: 0, sum: [6, 0], reference: [1, 0], medoidDetectionID: faces[0],
        epsilon: CosineDistance(0.3), distanceQuantiles: [0, 0.5], lambdaBirth: .infinity,
        persistence: 1, origin: "bootstrap")
      let runs = RunRepository(collection)
      let run = try runs.start(
        parametersJSON: "{}", minClusterSize: 3, minSamples: 2, on: connection)
      let cluster = try ClusterRepository(collection).create(
        [facts], persons: [nil], runID: run, on: connection)[0]
      _ = try DetectionRepository(collection).place(
        faces.map {
          Placement(
            detectionID: $0, status: .hdbscan, clusterID: cluster, confidence: 0.5,
            lambda: .infinity, outlierScore: 0, tier: "bootstrap")
        }, runID: run, on: connection)
      try runs.keepModel([1], of: run, on: connection)
      try runs.keepResult(
        RunResult(
          embeddingCount: 6, clusterCount: 1, noiseCount: 0, condensedTreeJSON: "[]",
          labelToClusterJSON: "{\"0\": \(cluster)}", metricsJSON: "{}", timingsJSON: "{}",
          peakMemoryBytes: 1), of: run, on: connection)
      try runs.complete(run, on: connection)
      return StoredCollection(
        pool: pool, collection: collection, faces: faces, cluster: cluster,
        person: try PersonRepository(collection).person(ofCluster: cluster, on: connection),
        run: run)
    }
  }

  func value(_ sql: String) async throws -> String? {
    try await pool.query("SELECT (\(sql))::text").single().optionalText(0)
  }

  func expectInvariants() async throws {
    #expect(try await InvariantChecker(collection).violations(in: pool) == [])
  }
}
