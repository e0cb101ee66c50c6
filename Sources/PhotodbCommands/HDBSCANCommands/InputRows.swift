internal import ArgumentParser
internal import HDBSCAN
internal import TensorFiles
internal import Vectors

/// The rows of a file that are clustered or predicted.
struct InputRows: Sendable {
  /// A row that was left out.
  struct Quarantined: Encodable, Equatable, Sendable {
    let row: Int
    let reason: String
  }

  /// The usable rows, in the file's order.
  let points: Points
  /// Numbers in a row, d.
  let dimensions: Int
  /// The file's row of each point; nil where all rows are used.
  let fileRows: [Int]?
  /// The rows that were left out, ascending.
  let quarantined: [Quarantined]

  /// Reads the rows.
  ///
  /// - Parameters:
  ///   - path: `.npy`, `.npz`, `.safetensors` or `.csv`.
  ///   - metric: decides what the numbers are and which rows are usable.
  ///   - quarantine: whether unusable rows are left out; else the fit refuses them.
  /// - Throws: `TensorFileError`, or ``CommandFailure`` where no usable row is left.
  init(path: String, metric: Parameters.Metric, quarantine: Bool) throws {
    let matrix = try readMatrix(path: path)
    dimensions = matrix.columns
    guard metric != .precomputed else {
      guard matrix.rows == matrix.columns else {
        throw CommandFailure(
          "\(path): \(matrix.rows) × \(matrix.columns) numbers are no matrix of distances; "
            + "give n × n, or vectors with another --metric")
      }
      points = .distances(matrix.doublePrecision)
      fileRows = nil
      quarantined = []
      return
    }
    let defects = quarantine ? Self.defects(of: matrix, metric: metric) : []
    guard !defects.isEmpty else {
      points = Points(matrix)
      fileRows = nil
      quarantined = []
      return
    }
    let bad = Set(defects.map(\.row))
    let kept = (0..<matrix.rows).filter { !bad.contains($0) }
    guard !kept.isEmpty else {
      throw CommandFailure("\(path): none of the \(matrix.rows) rows can be used")
    }
    points = Points(matrix).selecting(kept)
    fileRows = kept
    quarantined = defects
  }

  /// The rows that a fit would refuse, ascending.
  ///
  /// A row of zeros is a point like any other, unless its direction is asked for.
  private static func defects(
    of matrix: LoadedMatrix, metric: Parameters.Metric
  ) -> [Quarantined] {
    let defective =
      switch matrix {
      case .float32(let matrix): matrix.defectiveRows()
      case .float64(let matrix): matrix.defectiveRows()
      }
    var found = defective.filter { $0.defect == .nonFinite || metric == .cosine }.map {
      Quarantined(row: $0.row, reason: $0.defect == .zero ? "all zero" : "NaN or infinity")
    }
    if case .float64(let matrix) = matrix {
      let nonFinite = Set(found.map(\.row))
      for row in 0..<matrix.rows where !nonFinite.contains(row) {
        // Their squares would overflow, which the fit refuses.
        guard (0..<matrix.columns).contains(where: { matrix.row(row)[$0].magnitude > 1e150 })
        else { continue }
        found.append(Quarantined(row: row, reason: "values beyond ±1e150"))
      }
    }
    return found.sorted { $0.row < $1.row }
  }
}

extension Points {
  /// Vectors as their file holds them.
  init(_ matrix: LoadedMatrix) {
    self =
      switch matrix {
      case .float32(let matrix): .float32(matrix)
      case .float64(let matrix): .float64(matrix)
      }
  }

  /// The rows at `indices`; of distances the columns, too.
  func selecting(_ indices: [Int]) -> Points {
    switch self {
    case .float32(let matrix): .float32(matrix.selecting(rows: indices))
    case .float64(let matrix): .float64(matrix.selecting(rows: indices))
    case .distances(let matrix):
      .distances(
        Matrix(rows: indices.count, columns: indices.count) { storage, stride in
          for (row, source) in indices.enumerated() {
            for (column, other) in indices.enumerated() {
              storage[row * stride + column] = matrix.row(source)[other]
            }
          }
        })
    }
  }
}

/// Which rows of a file are used.
struct InputOptions: ParsableArguments {
  @Flag(
    name: .long,
    help: """
      Leave out rows with NaN or infinity (with cosine, of zeros too) and report them; without \
      it they are refused. The tensor rows then holds the file's row of each point.
      """)
  var quarantine = false
}
