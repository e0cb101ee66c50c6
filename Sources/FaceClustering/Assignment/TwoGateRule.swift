internal import Glibc

/// Decides between several clusters that are all near: a relative and an absolute gate.
///
/// A softmax with a temperature over the cosine similarities says how clearly the best one wins; it
/// must win clearly *and* be similar in itself. Near-equal tops share the softmax and are refused.
struct TwoGateRule {
  /// In units of cosine similarity; small values make small differences count.
  var temperature: Double
  /// Share of the softmax that the best must have, 0…1.
  var relative: Double
  /// Cosine similarity that the best must reach, −1…1.
  var absolute: Double

  /// Index of the accepted similarity, or nil where the choice is ambiguous or far.
  func accept(_ similarities: [Double]) -> Int? {
    guard let best = similarities.indices.max(by: { similarities[$0] < similarities[$1] }) else {
      return nil
    }
    let top = similarities[best]
    let total = similarities.reduce(0) { $0 + exp(($1 - top) / temperature) }
    return 1 / total >= relative && top >= absolute ? best : nil
  }
}
