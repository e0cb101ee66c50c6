public import PostgresClient

/// One tenant: its id scopes every other repository.
public struct CollectionRecord: Sendable, Equatable {
  /// Id of the collection.
  public let id: Int64
  /// Name, unique in the database.
  public let name: String
  /// Name of the model that made the embeddings.
  public let embeddingModel: String
  /// Length of every embedding, d.
  public let dimension: Int
}

/// Finds and makes collections.
public struct CollectionRepository: Sendable {
  /// A repository over all collections.
  public init() {}

  /// Every collection, by name.
  public func list(on connection: isolated PostgresConnection) throws -> [CollectionRecord] {
    try connection.query(
      "SELECT id, name, embedding_model, embedding_dim FROM collection ORDER BY name"
    ).map(Self.record)
  }

  /// The collection of this name.
  ///
  /// - Throws: ``StoreError/unknownCollection(name:known:)``.
  public func find(
    _ name: String, on connection: isolated PostgresConnection
  ) throws -> CollectionRecord {
    if let record = try findIfThere(name, on: connection) { return record }
    throw StoreError.unknownCollection(name: name, known: try list(on: connection).map(\.name))
  }

  /// The collection of this name; nil where there is none.
  public func findIfThere(
    _ name: String, on connection: isolated PostgresConnection
  ) throws -> CollectionRecord? {
    try connection.query(
      "SELECT id, name, embedding_model, embedding_dim FROM collection WHERE name = $1",
      [.text(name)]
    ).first.map(Self.record)
  }

  /// Name of a model that nobody named.
  public static let unknownModel = "unknown"

  /// Lengths that embeddings may have; the table says the same.
  public static let dimensions = 1...16_384

  /// The collection of this name, made if it does not exist.
  ///
  /// - Throws: ``StoreError/dimensionOutOfRange(_:limits:)``; ``StoreError/unusableName(reason:)``
  ///   where there is none of this name and none should be; ``StoreError/unusableModel(reason:)``
  ///   where no model should be called that;
  ///   ``StoreError/collectionMismatch(name:what:stored:given:)`` where it holds vectors of another
  ///   model or length.
  public func findOrCreate(
    _ name: String, embeddingModel: String?, dimension: Int,
    on connection: isolated PostgresConnection
  ) throws -> CollectionRecord {
    guard Self.dimensions.contains(dimension) else {
      throw StoreError.dimensionOutOfRange(dimension, limits: Self.dimensions)
    }
    let known = try findIfThere(name, on: connection)
    // One of an older program may have names that none would get today.
    if let embeddingModel, embeddingModel != known?.embeddingModel,
      let reason = TextLimits.fault(ofModel: embeddingModel)
    {
      throw StoreError.unusableModel(reason: reason)
    }
    if known == nil,
      let reason = name.isEmpty
        ? "is empty" : TextLimits.fault(name, longest: TextLimits.longestName)
    {
      throw StoreError.unusableName(reason: reason)
    }
    try connection.query(
      """
      INSERT INTO collection (name, embedding_model, embedding_dim) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO NOTHING
      """, [.text(name), .text(embeddingModel ?? Self.unknownModel), .int32(Int32(dimension))])
    let record = try find(name, on: connection)
    if record.dimension != dimension {
      throw StoreError.collectionMismatch(
        name: name, what: "embeddings of dimension", stored: "\(record.dimension)",
        given: "\(dimension)")
    }
    if let embeddingModel, embeddingModel != record.embeddingModel {
      throw StoreError.collectionMismatch(
        name: name, what: "embeddings of model", stored: "“\(record.embeddingModel)”",
        given: "“\(embeddingModel)”")
    }
    return record
  }

  private static func record(_ row: PostgresRow) throws -> CollectionRecord {
    CollectionRecord(
      id: try row.int64("id"), name: try row.text("name"),
      embeddingModel: try row.text("embedding_model"),
      dimension: Int(try row.int32("embedding_dim")))
  }
}
