internal import Synchronization

/// One line on the terminal that says how far a long computation is.
///
/// `fit: neighbours  [#######·············]  34.0 %  12,000 rows/s  about 0:42 min left`
///
/// It may be fed from any thread and as often as one likes: the line is drawn at most ten times a
/// second. Where standard error is no terminal, or the user asked for quiet or JSON, nothing is
/// ever written.
final class ProgressBar: Sendable {
  private struct State {
    var phase = ""
    var phaseStart = ContinuousClock.now
    var lastDrawn: ContinuousClock.Instant?
  }

  private let isEnabled: Bool
  private let state = Mutex(State())

  /// A bar that draws, or one that stays silent.
  init(isEnabled: Bool) { self.isEnabled = isEnabled }

  /// Takes note of progress within a phase.
  ///
  /// - Parameters:
  ///   - phase: what is being done; a new phase starts a new estimate.
  ///   - fraction: share of the phase that is done, 0…1.
  ///   - completed: number of things done, where things are counted.
  ///   - unit: what is counted, such as `rows`.
  func update(phase: String, fraction: Double, completed: Int? = nil, unit: String = "") {
    guard isEnabled else { return }
    let now = ContinuousClock.now
    let text = state.withLock { state -> String? in
      if state.phase != phase {
        state.phase = phase
        state.phaseStart = now
        state.lastDrawn = nil
      }
      if let last = state.lastDrawn, now - last < .milliseconds(100), fraction < 1 { return nil }
      state.lastDrawn = now
      return Self.line(
        phase: phase, fraction: fraction, elapsed: (now - state.phaseStart) / .seconds(1),
        completed: completed, unit: unit, columns: StandardError.columns)
    }
    if let text { StandardError.shared.status(text) }
  }

  /// Takes note of progress that is counted.
  func update(phase: String, completed: Int, total: Int, unit: String) {
    let fraction = total > 0 ? Double(completed) / Double(total) : 1
    update(phase: phase, fraction: fraction, completed: completed, unit: unit)
  }

  /// Takes the line away.
  func finish() {
    if isEnabled { StandardError.shared.clearStatus() }
  }

  /// The text of the line, cut to the width of the terminal.
  static func line(
    phase: String, fraction: Double, elapsed: Double, completed: Int?, unit: String, columns: Int
  ) -> String {
    let share = fraction.isFinite ? min(max(fraction, 0), 1) : 0
    let filled = Int((share * 20).rounded(.down))
    let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: 20 - filled)
    var parts = [phase, "[\(bar)]", Formatting.percent(share)]
    if let completed, elapsed > 0.5 {
      let rate = Double(completed) / elapsed
      parts.append(Formatting.count(Int(min(rate, 1e15))) + " \(unit)/s")
    }
    if share > 0.01, share < 1, elapsed > 0.5 {
      parts.append("about \(Formatting.seconds(elapsed * (1 - share) / share)) left")
    }
    return String(parts.joined(separator: "  ").prefix(max(columns - 1, 10)))
  }
}
