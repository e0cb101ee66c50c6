/// One reason why a model may be stale, with what was measured and the limit.
public struct StalenessSignal: Sendable, Codable, Equatable {
  /// How much a signal that fires weighs.
  public enum Severity: String, Sendable, Codable {
    case warning
    case stale
  }

  public var name: String
  /// Absent where it could not be measured, for want of arrivals for example.
  public var value: Double?
  public var threshold: Double
  public var fired: Bool
  public var severity: Severity
}

/// Whether the active run still fits the collection.
public struct StalenessReport: Sendable, Codable {
  public enum Status: String, Sendable, Codable {
    case fresh
    case warning
    case stale
    case noRun = "no_run"
  }

  public var collection: String
  public var status: Status
  public var runID: Int64?
  public var embeddingCount: Int
  public var currentCount: Int
  /// Eligible faces now over eligible faces at the fit.
  public var growth: Double?
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
