/// What a human said about two points: together, or apart.
public struct PairConstraint: Sendable, Hashable, Codable {
  /// Whether the two points belong together.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Both belong to one cluster; satisfied where they carry the same label, which is not noise.
    case mustLink
    /// They belong to different clusters; satisfied also where one of them, or each, is noise.
    case cannotLink
  }

  /// One point, by its index.
  public var a: Int
  /// The other point.
  public var b: Int
  /// Together or apart.
  public var kind: Kind

  /// A statement about two different points; a fit refuses indices that are equal or out of range.
  public init(_ a: Int, _ b: Int, _ kind: Kind) {
    self.a = a
    self.b = b
    self.kind = kind
  }

  /// Whether labels agree with the statement; noise (−1) is together with nothing.
  ///
  /// - Parameter labels: one for each point, so that both indices are among them.
  public func isSatisfied(by labels: [Int]) -> Bool {
    let together = labels[a] >= 0 && labels[a] == labels[b]
    return together == (kind == .mustLink)
  }
}

/// Refuses pairs that name no two points, and a method of selection that cannot heed them.
func checkConstraints(
  _ constraints: [PairConstraint], count: Int, parameters: Parameters
) throws(HDBSCANError) {
  for (index, pair) in constraints.enumerated()
  where pair.a == pair.b || !(0..<count).contains(pair.a) || !(0..<count).contains(pair.b) {
    throw .invalidParameter(
      name: "constraint \(index)", value: "(\(pair.a), \(pair.b))",
      expected: "a pair of different points in 0..<\(count)")
  }
  if !constraints.isEmpty && parameters.selectionMethod != .eom {
    throw .invalidParameter(
      name: "cluster_selection_method", value: parameters.selectionMethod.rawValue,
      expected: "eom where constraints are given, because stability breaks their ties")
  }
}
