/// One reason why a model may be stale, with what was measured and the limit.
public struct StalenessSignal: Sendable, Codable, Equatable {
  /// How much a signal that fires weighs.
  public enum Severity: String, Sendable, Codable {
    case warning
    case stale
  }

  /// What was measured, such as `growth`.
  public var name: String
  /// Absent where it could not be measured, for want of arrivals for example.
  @OrNull public var value: Double?
  /// Limit from which the signal fires, in the unit of the value; `model_readable` fires below it.
  public var threshold: Double
  /// Whether the value is at the wrong side of the limit.
  public var fired: Bool
  /// What a firing signal makes of the report.
  public var severity: Severity
}

/// Whether the active run still fits the collection.
public struct StalenessReport: Sendable, Codable {
  /// What the signals come to.
  public enum Status: String, Sendable, Codable {
    case fresh
    case warning
    case stale
    case noRun = "no_run"
  }

  /// Name of the collection.
  public var collection: String
  /// What the signals come to.
  public var status: Status
  /// Active run; nil where there is none.
  @OrNull public var runID: Int64?
  /// Faces that the active run was fitted on.
  public var embeddingCount: Int
  /// Eligible faces now.
  public var currentCount: Int
  /// Eligible faces now over eligible faces at the fit.
  @OrNull public var growth: Double?
  /// Every signal, whether it fired or not.
  public var signals: [StalenessSignal]

  /// 0 fresh, 1 warning, 2 stale or no run; the convention of monitoring plugins.
  public var exitCode: Int32 {
    switch status {
    case .fresh: 0
    case .warning: 1
    case .stale, .noRun: 2
    }
  }

  enum CodingKeys: String, CodingKey {
    case collection, status, growth, signals
    case runID = "run_id"
    case embeddingCount = "embedding_count"
    case currentCount = "current_count"
  }
}

/// What a check of one collection of many came to.
public struct StalenessOutcome: Sendable {
  /// Name of the collection.
  public var collection: String
  /// The report, or why there is none.
  public var result: Result<StalenessReport, any Error>

  /// An outcome for a collection.
  public init(collection: String, result: Result<StalenessReport, any Error>) {
    self.collection = collection
    self.result = result
  }

  /// That of the report; 3 where the collection could not be checked.
  public var exitCode: Int32 {
    switch result {
    case .success(let report): report.exitCode
    case .failure: 3
    }
  }
}
