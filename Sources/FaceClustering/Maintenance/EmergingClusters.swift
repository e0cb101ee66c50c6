internal import HDBSCAN
internal import PostgresClient
internal import Store
internal import Vectors

/// Looks for people in the pool by a small HDBSCAN over the faces that wait there.
///
/// What is found joins a cluster whose ball holds it, or becomes a cluster of origin `emerging`. The
/// fit leaves no run and no model.
struct EmergingClusters: Sendable {
  let pool: PostgresPool
  let collection: CollectionRecord
  let settings: StageSettings
  let threads: Int
  let dryRun: Bool

  /// The latest faces of the pool that take part: the fit is quadratic.
  private static let mostFaces = 20_000
  /// Every round leaves fewer faces, among which others may be dense.
  private static let mostRounds = 20

  /// Fits until nothing forms any more, so that a second run finds nothing either.
  func run(_ outcome: inout MaintenanceOutcome) async throws {
    for round in 0..<Self.mostRounds {
      let (collection, settings) = (collection, settings)
      let waiting = try await pool.withTransaction(.snapshot) {
        try FaceReader(collection).pool(settings.eligibility, on: $0)
      }
      let unusable = UnusableEmbeddings.reasons(in: waiting.embeddings)
      let faces = waiting.selecting(
        rows: waiting.ids.indices.filter { unusable[$0] == nil }.suffix(Self.mostFaces))
      if round == 0 { outcome.examined = faces.count }
      if faces.count < minimum { return }
      let groups = try await fit(faces)
      let (writer, pool, dryRun) = (
        EmergingWriter(collection: collection, settings: settings, minimum: minimum), pool, dryRun
      )
      let result = try await pool.withTransaction {
        try writer.apply(groups, of: faces, dryRun: dryRun, on: $0)
      }
      outcome.changed += result.moved
      outcome.find(result.lines)
      if result.moved == 0 || dryRun { return }
    }
  }

  /// Tighter than a bootstrap: what emerges has no history that would speak for it.
  private var minimum: Int { max(settings.unassignedClusterThreshold, settings.minClusterSize, 2) }

  private func fit(_ faces: FaceSnapshot) async throws -> [EmergingGroup] {
    var parameters = settings.fitParameters
    parameters.minClusterSize = minimum
    parameters.allowSingleCluster = false
    let (threads, fitted) = (threads, parameters)
    let clustering = try await offCooperativePool { isCancelled in
      try HDBSCAN.fit(
        .float32(faces.embeddings), parameters: fitted, threads: threads,
        progress: { _ in !isCancelled() })
    }
    let births = clustering.tree.clusterBirths
    return clustering.selection.nodes.indices.map { label in
      EmergingGroup(
        members: faces.ids.indices.filter { clustering.labels[$0] == label }.map { row in
          EmergingGroup.Member(
            row: row, probability: clustering.probabilities[row],
            lambda: clustering.pointLambdas[row], outlierScore: clustering.outlierScores[row])
        },
        lambdaBirth: births[clustering.selection.nodes[label] - clustering.tree.pointCount],
        persistence: clustering.selection.persistences[label])
    }
  }
}

/// A cluster of the pool, as the fit found it.
struct EmergingGroup: Sendable {
  struct Member: Sendable {
    /// Row in the snapshot that was fitted.
    var row: Int
    var probability: Double
    var lambda: Double
    var outlierScore: Double
  }
  var members: [Member]
  var lambdaBirth: Double
  var persistence: Double
}
