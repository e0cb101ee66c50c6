internal import HDBSCAN
public import PostgresClient
public import Store

/// What a bootstrap will need, known before it begins.
public struct BootstrapEstimate: Sendable, Equatable {
  /// Faces that will be fitted, or were.
  public let faces: Int
  /// Faces that are grouped with them but not fitted.
  public let leftOut: Int
  /// Whether the hierarchy of an earlier fit is taken.
  public let withoutFit: Bool
  /// Length of their embeddings, d.
  public let dimension: Int
  /// Bytes at the peak, beside what the process has already.
  public let memoryBytes: Int64

  /// For a number of faces.
  public init(
    faces: Int, leftOut: Int = 0, dimension: Int, minSamples: Int, withoutFit: Bool = false
  ) {
    self.faces = faces
    self.leftOut = leftOut
    self.dimension = dimension
    self.withoutFit = withoutFit
    // The vectors themselves, the fit or what is kept of one, and the plan's members. People take what the fit
    // gave back: at most the sums of n / 2 groups, three times over, which is as much as its two copies of the
    // vectors.
    let fit = estimatedFitMemory(points: faces, dimensions: dimension, minSamples: minSamples)
    let all = faces + leftOut
    memoryBytes =
      Int64(all * (dimension * 4 + 256)) + Int64(withoutFit ? all * dimension * 8 : fit)
  }

  /// Counts the faces of a collection.
  ///
  /// - Throws: `PostgresError`.
  public static func read(
    _ collection: CollectionRecord, settings: StageSettings, withoutFit: Bool = false,
    pool: PostgresPool
  ) async throws -> BootstrapEstimate {
    let (faces, leftOut) = try await pool.withTransaction(.snapshot) { connection in
      let counts = try FaceReader(collection).countEligible(settings.eligibility, on: connection)
      if !withoutFit { return (counts.eligible, counts.filtered) }
      // Without a run there is nothing to estimate, and the bootstrap says so.
      let fitted = try RunRepository(collection).active(on: connection)?.embeddingCount ?? 0
      return (fitted, max(counts.eligible + counts.filtered - fitted, 0))
    }
    return BootstrapEstimate(
      faces: faces, leftOut: leftOut, dimension: collection.dimension,
      minSamples: settings.minSamples, withoutFit: withoutFit)
  }

  /// Refuses a bootstrap for which memory would not suffice.
  ///
  /// - Parameter availableBytes: what can be taken without swapping; nil where that is unknown.
  /// - Throws: ``BootstrapError/notEnoughMemory(needed:available:faces:)``.
  public func check(availableBytes: Int64? = BootstrapEstimate.availableBytes) throws {
    guard let availableBytes, memoryBytes > availableBytes else { return }
    throw BootstrapError.notEnoughMemory(
      needed: memoryBytes, available: availableBytes, faces: faces + leftOut)
  }

  /// Memory that can be taken without swapping, in bytes; nil where the system does not tell.
  public static var availableBytes: Int64? { Memory.availableBytes }
}
