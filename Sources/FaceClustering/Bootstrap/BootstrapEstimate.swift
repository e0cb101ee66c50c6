internal import HDBSCAN
public import PostgresClient
public import Store

/// What a bootstrap will need, known before it begins.
public struct BootstrapEstimate: Sendable, Equatable {
  /// Faces that will be fitted.
  public let faces: Int
  /// Faces that are grouped with them but not fitted.
  public let leftOut: Int
  /// Length of their embeddings, d.
  public let dimension: Int
  /// Bytes at the peak, beside what the process has already.
  public let memoryBytes: Int64

  /// For a number of faces.
  public init(faces: Int, leftOut: Int = 0, dimension: Int, minSamples: Int) {
    self.faces = faces
    self.leftOut = leftOut
    self.dimension = dimension
    // The vectors themselves, the fit, and the plan's members. People take what the fit gave back: at most
    // the sums of n / 2 groups, three times over, which is as much as its two copies of the vectors. What is not
    // fitted is there twice while it is put beside the rest.
    memoryBytes =
      Int64(faces * dimension * 4)
      + Int64(estimatedFitMemory(points: faces, dimensions: dimension, minSamples: minSamples))
      + Int64(faces * 256) + Int64(leftOut * (dimension * 8 + 256))
  }

  /// Counts the eligible faces of a collection.
  ///
  /// - Throws: `PostgresError`.
  public static func read(
    _ collection: CollectionRecord, settings: StageSettings, pool: PostgresPool
  ) async throws -> BootstrapEstimate {
    let counts = try await pool.withTransaction(.snapshot) {
      try FaceReader(collection).countEligible(settings.eligibility, on: $0)
    }
    return BootstrapEstimate(
      faces: counts.eligible, leftOut: counts.filtered, dimension: collection.dimension,
      minSamples: settings.minSamples)
  }

  /// Refuses a bootstrap for which memory would not suffice.
  ///
  /// - Parameter availableBytes: what can be taken without swapping; nil where that is unknown.
  /// - Throws: ``BootstrapError/notEnoughMemory(needed:available:faces:)``.
  public func check(availableBytes: Int64? = BootstrapEstimate.availableBytes) throws {
    guard let availableBytes, memoryBytes > availableBytes else { return }
    throw BootstrapError.notEnoughMemory(
      needed: memoryBytes, available: availableBytes, faces: faces)
  }

  /// Memory that can be taken without swapping, in bytes; nil where the system does not tell.
  public static var availableBytes: Int64? { Memory.availableBytes }
}
