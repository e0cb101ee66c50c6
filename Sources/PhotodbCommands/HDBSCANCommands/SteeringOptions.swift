internal import ArgumentParser
internal import HDBSCAN
internal import TensorFiles
internal import Vectors

/// What a fit is told beside the rows: how much each counts, and which belong together or apart.
struct SteeringOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      """
      A row of weight w counts as w rows in sizes and core distances: .npy, or .safetensors with \
      a tensor weights; whole numbers from 1, one for each row of the file.
      """, valueName: "FILE"))
  var weights: String?

  @OptionGroup(title: "Steering") var pairs: PairOptions

  /// Reads the files.
  ///
  /// - Throws: `TensorFileError`, or ``CommandFailure`` that names the file, and the row or line.
  func read(for rows: InputRows) throws -> Steering {
    let kept = rows.fileRows ?? Array(0..<rows.points.count)
    let fileCount = kept.count + rows.quarantined.count
    return Steering(
      weights: try weights.map { try Self.weights(in: $0, kept: kept, of: fileCount) },
      constraints: try pairs.read(kept: kept, of: fileCount))
  }

  private static func weights(in path: String, kept: [Int], of count: Int) throws -> [Int] {
    let array =
      fileExtension(of: path) == "safetensors"
      ? try SafetensorsFile(path: path).required("weights") : try NumpyFile(path: path).array
    let values = try array.integers()
    guard array.shape == [count] else {
      throw CommandFailure(
        "\(path): has the shape \(array.shape), but there are \(count) rows; give one weight a row")
    }
    var total = 0
    for (row, weight) in values.enumerated() {
      let sum = total.addingReportingOverflow(weight)
      guard weight >= 1, !sum.overflow else {
        throw CommandFailure(
          "\(path): the weight of row \(row) is \(weight); give whole numbers from 1, of a sum "
            + "below 2^63")
      }
      total = sum.partialValue
    }
    return kept.map { values[$0] }
  }
}

/// Which rows belong together, and which apart.
struct PairOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      """
      Pairs of rows that belong to one cluster (.csv: two row numbers a line, counted from 0). The \
      clusters are those that satisfy most pairs; stability breaks ties.
      """, valueName: "FILE"))
  var mustLink: String?

  @Option(
    name: .long, help: ArgumentHelp("Pairs of rows that belong apart (.csv).", valueName: "FILE"))
  var cannotLink: String?

  /// Whether there are none.
  var isEmpty: Bool { mustLink == nil && cannotLink == nil }

  /// Reads the files.
  ///
  /// - Parameters:
  ///   - kept: the row of each point, ascending.
  ///   - count: rows there are.
  /// - Throws: `TensorFileError`, or ``CommandFailure`` that names the file and the pair.
  func read(kept: [Int], of count: Int) throws -> [PairConstraint] {
    try Self.pairs(in: mustLink, .mustLink, kept: kept, of: count)
      + Self.pairs(in: cannotLink, .cannotLink, kept: kept, of: count)
  }

  private static func pairs(
    in path: String?, _ kind: PairConstraint.Kind, kept: [Int], of count: Int
  ) throws -> [PairConstraint] {
    guard let path else { return [] }
    let table = try readNumberTable(path: path)
    // A first line without numbers is taken for a header, and so is a pair that went wrong.
    guard table.rows > 0 else {
      throw CommandFailure(
        "\(path): holds no pair of rows; give two row numbers a line, after a header or without")
    }
    guard table.columns == 2 else {
      throw CommandFailure(
        "\(path): has \(table.columns) columns; give two row numbers a line")
    }
    let pointOfRow = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    return try (0..<table.rows).map { index in
      let values = (table.row(index)[0], table.row(index)[1])
      guard let a = Int(exactly: values.0), let b = Int(exactly: values.1), a != b,
        (0..<count).contains(a), (0..<count).contains(b)
      else {
        throw CommandFailure(
          "\(path): pair \(index + 1) (\(values.0), \(values.1)) must be two different rows in "
            + "0…\(count - 1)")
      }
      guard let first = pointOfRow[a], let second = pointOfRow[b] else {
        throw CommandFailure(
          "\(path): pair \(index + 1) (\(a), \(b)) names a row that was left out")
      }
      return PairConstraint(first, second, kind)
    }
  }
}

/// What ``SteeringOptions`` and ``PairOptions`` read, by point.
struct Steering: Sendable {
  let weights: [Int]?
  let constraints: [PairConstraint]

  /// How well a result agrees with the pairs; nil where none were given.
  func satisfaction(of labels: [Int]) -> Satisfaction? {
    if constraints.isEmpty { return nil }
    return Satisfaction(
      given: constraints.count, satisfied: constraints.count { $0.isSatisfied(by: labels) })
  }

  /// Pairs that were given, and those that the labels satisfy.
  struct Satisfaction: Encodable {
    let given: Int
    let satisfied: Int
  }
}
