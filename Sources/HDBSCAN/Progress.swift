internal import Synchronization

/// How far a fit has come.
public struct FitProgress: Sendable, Equatable {
  /// The parts of a fit, in the order in which they run.
  public enum Phase: String, Sendable, CaseIterable {
    /// Duplicates are collapsed and screening copies made.
    case preparation
    /// Scouting for near neighbours: a small part of the time.
    case neighbours
    /// All pairs, for neighbours and the minimum spanning tree: most of the time.
    case spanningTree
    /// Hierarchy, selection, labels.
    case hierarchy
  }

  /// What is being done.
  public var phase: Phase
  /// Share of the phase that is done, 0…1.
  public var fraction: Double

  /// A place in a fit.
  public init(phase: Phase, fraction: Double) {
    self.phase = phase
    self.fraction = fraction
  }
}

/// Receives the progress of a fit; returning false cancels it.
///
/// Called from working threads, one call at a time, at most about a thousand times a phase;
/// fractions never go back within a phase. Others may wait for it, so it should be brief. After a
/// false it is not called again, and the fit throws ``HDBSCANError/cancelled`` unless it is done.
public typealias ProgressHandler = @Sendable (_ progress: FitProgress) -> Bool

/// Passes progress on from many threads and remembers a cancellation.
final class ProgressReporter: Sendable {
  private struct State {
    var phase = FitProgress.Phase.preparation
    var permille = -1
    var cancelled = false
  }

  private let handler: ProgressHandler?
  private let state = Mutex(State())

  init(_ handler: ProgressHandler?) { self.handler = handler }

  /// Whether the handler asked to stop; loops look at it between tiles.
  var isCancelled: Bool { handler != nil && state.withLock { $0.cancelled } }

  func report(_ phase: FitProgress.Phase, completed: Int, of total: Int) {
    guard let handler else { return }
    let permille = total > 0 ? min(completed * 1000 / total, 1000) : 1000
    state.withLock { state in
      if state.cancelled || (state.phase == phase && permille <= state.permille) { return }
      state.phase = phase
      state.permille = permille
      state.cancelled = !handler(FitProgress(phase: phase, fraction: Double(permille) / 1000))
    }
  }

  func throwIfCancelled() throws(HDBSCANError) {
    if isCancelled { throw .cancelled }
  }
}
