internal import FaceClustering
internal import PostgresClient

extension DatabaseSession {
  /// The stage over the collection that the command names.
  ///
  /// - Throws: `StoreError.unknownCollection`.
  func stage(threads: Int? = nil) async throws -> FaceClustering {
    try await FaceClustering.open(
      pool: pool, collection: collection, settings: settings.stage, threads: threads,
      logger: logger)
  }
}
