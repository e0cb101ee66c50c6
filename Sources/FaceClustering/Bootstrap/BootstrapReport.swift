/// What a bootstrap did, or with a dry run would have done.
public struct BootstrapReport: Sendable, Codable {
  /// Seconds of each phase.
  public struct Seconds: Sendable, Codable {
    /// Reading the snapshot.
    public var read = 0.0
    /// HDBSCAN.
    public var fit = 0.0
    /// Encoding the model.
    public var extract = 0.0
    /// People out of the hierarchy.
    public var people = 0.0
    /// Lineage and the plan.
    public var match = 0.0
    /// Writing the plan, in one transaction.
    public var write = 0.0
    /// From the start to the commit.
    public var total = 0.0
  }

  /// Absent after a dry run.
  @OrNull public var runID: Int64?
  /// The run whose fit was taken; absent where one was made.
  @OrNull public var fitOfRun: Int64?
  /// Whether nothing was written.
  public var dryRun: Bool
  /// Faces that were fitted.
  public var embeddingCount: Int
  /// Faces that were not fitted: the eligibility rule left them out, or they came after a fit that was not made again.
  public var filteredCount: Int
  /// Those of them that are in a cluster by evidence; `assign` decides the others.
  public var filteredPlaced: Int
  /// Clusters that the fit selected.
  public var clusterCount: Int
  /// Faces that the fit called noise.
  public var noiseCount: Int
  /// Persons with at least one cluster afterwards.
  public var peopleCount: Int
  /// How the clusters of before became those of now.
  public var lineage: LineageCounts
  /// Faces that had a cluster and now have another one, or none.
  public var moved: Int
  /// Questions raised for people.
  public var candidates: Int
  /// Faces that wait outside the fit and are new again, because clusters changed.
  public var reconsidered: Int
  /// Faces that were set aside because their stored embedding is unusable.
  public var invalid: Int
  /// The first of them, ``InvalidFace/mostNamed`` at most.
  public var invalidFaces: [InvalidFace]
  /// Whether the whole collection was allowed to be one cluster.
  public var allowSingleCluster: Bool
  /// Seconds of each phase.
  public var seconds: Seconds
  /// Largest resident size of the process so far, in bytes.
  public var peakMemoryBytes: Int64

  enum CodingKeys: String, CodingKey {
    case runID = "run_id"
    case fitOfRun = "fit_of_run"
    case dryRun = "dry_run"
    case embeddingCount = "embedding_count"
    case filteredCount = "filtered_count"
    case filteredPlaced = "filtered_placed"
    case clusterCount = "cluster_count"
    case noiseCount = "noise_count"
    case peopleCount = "people_count"
    case lineage, moved, candidates, reconsidered, invalid
    case invalidFaces = "invalid_faces"
    case allowSingleCluster = "allow_single_cluster"
    case seconds
    case peakMemoryBytes = "peak_memory_bytes"
  }
}

/// Why a bootstrap was refused.
public enum BootstrapError: Error, Sendable, CustomStringConvertible {
  case alreadyRunning(run: Int64?, collection: String)
  case notEnoughMemory(needed: Int64, available: Int64, faces: Int)
  case superseded(run: Int64)
  /// The task was cancelled, or the progress handler returned false; nil where there was no run yet, as with
  /// a dry run.
  case cancelled(run: Int64?, collection: String)
  case nothingToFit(collection: String, filtered: Int)
  case noFit(collection: String)
  case fitOfOtherSettings(run: Int64)
  case fitIsIncomplete(run: Int64, missing: Int, collection: String)
  case nothingUsable(collection: String, faces: [InvalidFace], count: Int)

  /// One line that says what is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .alreadyRunning(let run, let collection):
      "a bootstrap of collection “\(collection)” is already running"
        + (run.map { " (run \($0))" } ?? ", which has no number yet")
        + "; wait for it or look at `photodb runs list`"
    case .notEnoughMemory(let needed, let available, let faces):
      "a bootstrap of \(faces) faces needs about \(needed / 1_048_576) MB of memory and "
        + "\(available / 1_048_576) MB are free; nothing was changed"
    case .superseded(let run):
      "run \(run) lost its place while it was fitting (the database connection was cut); "
        + "nothing was changed, start it again"
    case .cancelled(let run, let collection):
      (run.map { "run \($0)" } ?? "the bootstrap")
        + " of collection “\(collection)” was cancelled; nothing was changed"
    case .nothingToFit(let collection, let filtered):
      "collection “\(collection)” has no eligible face"
        + (filtered > 0
          ? " (\(filtered) are too small or too uncertain: MIN_FACE_SIZE_PX, MIN_FACE_CONFIDENCE)"
          : "; `photodb import` brings some in")
    case .noFit(let collection):
      "collection “\(collection)” has no run whose fit could be used; `photodb re-bootstrap` makes one"
    case .fitOfOtherSettings(let run):
      "run \(run) was fitted with another embedding model, HDBSCAN_MIN_SAMPLES, MIN_FACE_SIZE_PX or "
        + "MIN_FACE_CONFIDENCE; `photodb re-bootstrap` fits anew, with those of now"
    case .fitIsIncomplete(let run, let missing, let collection):
      "\(missing) of the faces that run \(run) was fitted to are gone from collection “\(collection)” or cannot be "
        + "used; `photodb re-bootstrap` fits anew"
    case .nothingUsable(let collection, let faces, let count):
      "none of the \(count) eligible faces of collection “\(collection)” has a usable embedding: "
        + InvalidFace.line(faces, of: count) + "; import them again under new ids"
    }
  }
}
