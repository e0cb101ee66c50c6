internal import HDBSCAN
internal import PostgresClient
internal import Store
internal import Synchronization
internal import Vectors

/// The model of an active run with its vectors, ready to predict.
struct LoadedModel: Sendable {
  let runID: Int64
  /// Whose run it is: another server may count another one by the same number.
  let server: ServerIdentity
  let model: PredictionModel
  let clusterOfLabel: [Int: Int64]
  /// Faces of the fit, ascending.
  let detectionIDs: [Int64]
  /// Faces of the fit that were deleted since, or whose embedding became unusable.
  var missing: Int

  /// What predictions for unit vectors say of live clusters, one vote or nil a row.
  func votes(
    _ predictions: [Prediction], for vectors: Matrix<Float>, clusters: LiveClusters
  ) -> [TierOneVote?] {
    predictions.enumerated().map { row, prediction in
      // A label whose cluster is gone is a miss of this tier, not an error.
      guard prediction.label >= 0, let id = clusterOfLabel[prediction.label],
        let cluster = clusters.row(of: id)
      else { return nil }
      return TierOneVote(
        cluster: cluster, probability: prediction.probability,
        distance: NearClusters.distance(vectors, row, clusters.references, cluster))
    }
  }
}

/// What there is to predict with.
struct ActiveModel: Sendable {
  var runID: Int64?
  var loaded: LoadedModel?
  /// Why there is no model to use, for people.
  var skipped: String?
}

/// The model would have to be read first, which takes seconds for large collections.
struct ModelNotRead: Error {}

/// Keeps the model of each collection's active run in memory, loaded once a process and run, and its
/// clusters and its pool.
///
/// Only the run's id is read for every batch; the blob and the vectors are read when it changed. How
/// many of its faces were deleted is counted again when the server counted that some were. Where the
/// server was restarted or is another one, everything is read anew.
///
/// Takes some 7 · d bytes for each face of the run, cluster and face of the pool: vectors, and what
/// screens them.
public final class ModelCache: Sendable {
  private enum Entry: Sendable {
    /// `usable` counts all faces up to the last of the fit.
    case loaded(LoadedModel, usable: Int, since: RememberedSince)
    case unreadable(runID: Int64, reason: String)

    var runID: Int64 {
      switch self {
      case .loaded(let model, _, _): model.runID
      case .unreadable(let runID, _): runID
      }
    }
  }

  /// Of whom something is remembered, and who told it.
  ///
  /// A failover may have lost the transactions that made it, and others have their numbers now.
  struct Source: Hashable {
    let collection: Int64
    let server: ServerIdentity
  }

  let clusters = Mutex<[Source: Clusters]>([:])
  let pools = Mutex<[Source: Pool]>([:])
  private let servers = Mutex<[Int64: ServerIdentity]>([:])
  private let entries = Mutex<[Source: Entry]>([:])
  let pause: Duration
  let recountAfter: Duration

  /// An empty cache.
  public convenience init() { self.init(recountAfter: .seconds(600)) }

  /// An empty cache that counts and compares everything again after this time, and, where the server
  /// counted changes, after `pause`.
  init(pause: Duration = .seconds(5), recountAfter: Duration) {
    self.pause = pause
    self.recountAfter = recountAfter
  }

  /// The active run's model, or the reason why tier 1 must do without.
  ///
  /// - Parameter mayRead: whether the caller keeps nobody waiting.
  /// - Throws: ``ModelNotRead`` where it may not be read and is not in memory.
  func active(
    of collection: CollectionRecord, settings: StageSettings, mayRead: Bool = true,
    on connection: isolated PostgresConnection
  ) throws -> ActiveModel {
    let source = try source(of: collection, on: connection)
    guard let runID = try RunRepository(collection).activeID(on: connection) else {
      entries.withLock { $0[source] = nil }
      return ActiveModel(skipped: "there is no active run")
    }
    if !mayRead, entries.withLock({ $0[source]?.runID }) != runID { throw ModelNotRead() }
    let entry = try entry(runID, from: source, of: collection, on: connection)
    switch entry {
    case .unreadable(_, let reason):
      return ActiveModel(runID: runID, skipped: reason)
    case .loaded(let model, _, _):
      let share = Double(model.missing) / Double(max(model.detectionIDs.count, 1))
      if share >= settings.stalenessDeletedShare, model.missing > 0 {
        return ActiveModel(
          runID: runID,
          skipped: "the model is stale: \(Int((share * 100).rounded())) % of its faces were deleted"
        )
      }
      return ActiveModel(runID: runID, loaded: model)
    }
  }

  /// Whom a connection tells of; what another server told of the same collection takes no more memory.
  func source(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> Source {
    let source = Source(collection: collection.id, server: try connection.serverIdentity())
    let before = servers.withLock { servers in
      defer { servers[collection.id] = source.server }
      return servers[collection.id]
    }
    if let before, before != source.server {
      let gone = Source(collection: collection.id, server: before)
      entries.withLock { $0[gone] = nil }
      clusters.withLock { $0[gone] = nil }
      pools.withLock { $0[gone] = nil }
    }
    return source
  }

  private func entry(
    _ runID: Int64, from source: Source, of collection: CollectionRecord,
    on connection: isolated PostgresConnection
  ) throws -> Entry {
    if let known = entries.withLock({ $0[source] }), known.runID == runID {
      return try recounted(known, from: source, of: collection, on: connection)
    }
    let state = try RunRepository(collection).state(of: runID, on: connection)
    let entry: Entry
    do {
      let stored = try StoredModel(bytes: state.blob)
      let clusterOfLabel = try stored.clusterOfLabel(state.labelToClusterJSON)
      // Counted first: what goes between this and the vectors is noticed by the next count.
      let since = try RememberedSince.now(on: connection)
      let usable = try DetectionRepository(collection).countUsable(
        upTo: stored.detectionIDs.last ?? 0, on: connection)
      entry = .loaded(
        try load(
          stored, clusterOfLabel: clusterOfLabel, runID: runID, of: collection, on: connection),
        usable: usable, since: since)
    } catch let error as PostgresError {
      throw error
    } catch {
      entry = .unreadable(runID: runID, reason: "\(error)")
    }
    entries.withLock { $0[source] = entry }
    return entry
  }

  /// The same model with a count of its deleted faces that holds.
  private func recounted(
    _ entry: Entry, from source: Source, of collection: CollectionRecord,
    on connection: isolated PostgresConnection
  ) throws -> Entry {
    guard case .loaded(var model, let before, let remembered) = entry else { return entry }
    var since = remembered
    guard try since.isOld(pause: pause, limit: recountAfter, on: connection) else {
      // Whoever stored something else meanwhile knows better.
      entries.withLock { entries in
        guard case .loaded(let same, let usable, remembered)? = entries[source],
          since != remembered
        else { return }
        entries[source] = .loaded(same, usable: usable, since: since)
      }
      return entry
    }
    let now = try RememberedSince.now(on: connection)
    let detections = DetectionRepository(collection)
    let usable = try detections.countUsable(
      upTo: model.detectionIDs.last ?? 0, on: connection)
    // Only where some went is it asked which: a list of all faces is dear to look through.
    if usable != before {
      let gone =
        model.detectionIDs.count
        - (try detections.countUsable(model.detectionIDs, on: connection))
      model.missing = max(model.missing, gone)
    }
    let fresh = Entry.loaded(model, usable: usable, since: now)
    entries.withLock { $0[source] = fresh }
    return fresh
  }

  private func load(
    _ stored: StoredModel, clusterOfLabel: [Int: Int64], runID: Int64,
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> LoadedModel {
    var vectors = try FaceReader(collection).embeddings(
      ofSorted: stored.detectionIDs, on: connection)
    let unusable = UnusableEmbeddings.reasons(in: vectors.embeddings)
    if !unusable.isEmpty {
      let kept = vectors.positions.indices.filter { unusable[$0] == nil }
      vectors = (kept.map { vectors.positions[$0] }, vectors.embeddings.selecting(rows: kept))
    }
    return LoadedModel(
      runID: runID, server: try connection.serverIdentity(),
      model: try PredictionModel(
        points: .float32(vectors.embeddings), pointOfRow: vectors.positions,
        coreDistances: stored.coreDistances, tree: stored.tree, selection: stored.selection,
        parameters: stored.parameters),
      clusterOfLabel: clusterOfLabel, detectionIDs: stored.detectionIDs,
      missing: stored.detectionIDs.count - vectors.positions.count)
  }
}
