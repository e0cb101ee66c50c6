public import PostgresClient
public import Vectors

/// A face's box in pixels of its photo.
public struct FaceBox: Sendable, Equatable {
  /// Left edge, in pixels.
  public var x: Float
  /// Upper edge, in pixels.
  public var y: Float
  /// Width in pixels, above 0.
  public var width: Float
  /// Height in pixels, above 0.
  public var height: Float

  /// A box by its corner and extent.
  public init(x: Float, y: Float, width: Float, height: Float) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// A face as it arrives from a detection stage.
public struct IncomingFace: Sendable, Equatable {
  /// Id that the detection stage gave, unique in its collection.
  public var externalID: String
  /// Path or name of the photo.
  public var photo: String?
  /// Where the face is in its photo; nil where the detector gave no box.
  public var box: FaceBox?
  /// Detector confidence, 0…1.
  public var confidence: Float?
  /// Seconds since 1970.
  public var takenAt: Double?

  /// A face; only its id is required.
  public init(
    externalID: String, photo: String? = nil, box: FaceBox? = nil, confidence: Float? = nil,
    takenAt: Double? = nil
  ) {
    self.externalID = externalID
    self.photo = photo
    self.box = box
    self.confidence = confidence
    self.takenAt = takenAt
  }
}

/// Brings faces into a collection by COPY BINARY.
public struct FaceImportRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Those of these external ids that are already there, each with its stored vector.
  ///
  /// - Returns: no values where the stored vector is missing or of another length.
  public func existing(
    _ externalIDs: [String], on connection: isolated PostgresConnection
  ) throws -> [ExactText: [Float]] {
    var result: [ExactText: [Float]] = [:]
    for row in try connection.queryPrepared(
      """
      SELECT d.external_id, (SELECT e.embedding FROM face_embedding e
        WHERE e.collection_id = d.collection_id AND e.detection_id = d.id) FROM person_detection d
      WHERE d.collection_id = $1 AND d.external_id = ANY($2)
      """, [.int64(collection.id), .textArray(externalIDs)])
    {
      let bytes = try row.optionalBytes(1) ?? []
      result[ExactText(try row.text(0))] =
        VectorBytes.floats(bytes, count: collection.dimension) ?? []
    }
    return result
  }

  /// Inserts faces that are not there yet.
  ///
  /// - Parameters:
  ///   - faces: their facts; external ids must be distinct and new.
  ///   - rows: row of `embeddings` of each face.
  ///   - embeddings: unit vectors.
  ///   - norms: measured norm of each face's stored vector.
  /// - Throws: `PostgresError` with code unique violation where another import was faster.
  /// - Complexity: O(n · d), three round trips and two COPYs.
  public func insert(
    _ faces: [IncomingFace], rows: [Int], embeddings: Matrix<Float>, norms: [Float],
    on connection: isolated PostgresConnection
  ) throws {
    if faces.isEmpty { return }
    let photos = try photoIDs(faces, on: connection)
    try connection.countIfThoughtSmall("photo", added: photos.count)
    let ids = try connection.newIDs(faces.count, of: "person_detection")
    let collectionID = collection.id
    _ = try connection.copyIn(
      """
      COPY person_detection (collection_id, id, external_id, photo_id, face_x, face_y, face_width,
        face_height, face_confidence) FROM STDIN (FORMAT binary)
      """, columns: 9
    ) { writer in
      for (index, face) in faces.enumerated() {
        try writer.row { row in
          row.int64(collectionID)
          row.int64(ids[index])
          row.text(face.externalID)
          if let photo = face.photo.flatMap({ photos[ExactText($0)] }) {
            row.int64(photo)
          } else {
            row.null()
          }
          if let box = face.box {
            row.float(box.x)
            row.float(box.y)
            row.float(box.width)
            row.float(box.height)
          } else {
            for _ in 0..<4 { row.null() }
          }
          if let confidence = face.confidence { row.float(confidence) } else { row.null() }
        }
      }
    }
    try connection.countIfThoughtSmall("person_detection", added: faces.count)
    let (dimension, model) = (collection.dimension, collection.embeddingModel)
    _ = try connection.copyIn(
      """
      COPY face_embedding (collection_id, detection_id, embedding_dim, embedding_model, embedding,
        norm) FROM STDIN (FORMAT binary)
      """, columns: 6
    ) { writer in
      for index in faces.indices {
        try writer.row { row in
          row.int64(collectionID)
          row.int64(ids[index])
          row.int32(Int32(dimension))
          row.text(model)
          row.bytes(
            UnsafeRawBufferPointer(start: embeddings.row(rows[index]), count: 4 * dimension))
          row.float(norms[index])
        }
      }
    }
  }

  private func photoIDs(
    _ faces: [IncomingFace], on connection: isolated PostgresConnection
  ) throws -> [ExactText: Int64] {
    var takenAt: [ExactText: Double] = [:]
    var paths: Set<ExactText> = []
    for face in faces {
      guard let photo = face.photo.map(ExactText.init) else { continue }
      paths.insert(photo)
      // Of several times the first holds, as between two imports.
      if let time = face.takenAt, takenAt[photo] == nil { takenAt[photo] = time }
    }
    if paths.isEmpty { return [:] }
    // One order for everyone, so that two imports of the same photos cannot wait for each other.
    let sorted = paths.sorted()
    var result: [ExactText: Int64] = [:]
    for row in try connection.queryPrepared(
      """
      INSERT INTO photo (collection_id, path, taken_at)
      SELECT $1, t.path, to_timestamp(t.taken_at)
      FROM unnest($2::text[], $3::double precision[]) AS t (path, taken_at)
      ON CONFLICT (collection_id, path) DO NOTHING RETURNING path, id
      """,
      [
        .int64(collection.id), .textArray(sorted.map(\.text)),
        .optionalDoubleArray(sorted.map { takenAt[$0] }),
      ])
    {
      result[ExactText(try row.text(0))] = try row.int64(1)
    }
    if result.count == sorted.count { return result }
    var told: [(id: Int64, takenAt: Double)] = []
    for row in try connection.queryPrepared(
      """
      SELECT path, id, taken_at IS NULL FROM photo WHERE collection_id = $1 AND path = ANY($2)
      """, [.int64(collection.id), .textArray(sorted.map(\.text))])
    {
      let (path, id) = (ExactText(try row.text(0)), try row.int64(1))
      // Those that came just now have what is known.
      if result[path] == nil, try row.bool(2), let time = takenAt[path] { told.append((id, time)) }
      result[path] = id
    }
    try fillTimes(told, on: connection)
    return result
  }

  /// Gives photos that came without a time the first that is told of them.
  ///
  /// `ON CONFLICT DO UPDATE` would lock every photo that is there, also those that have a time.
  private func fillTimes(
    _ told: [(id: Int64, takenAt: Double)], on connection: isolated PostgresConnection
  ) throws {
    if told.isEmpty { return }
    try connection.queryPrepared(
      """
      WITH timeless AS MATERIALIZED (
        SELECT p.collection_id, p.id, t.taken_at
        FROM photo p JOIN unnest($2::bigint[], $3::double precision[]) AS t (id, taken_at)
          ON t.id = p.id
        WHERE p.collection_id = $1 AND p.taken_at IS NULL
        ORDER BY p.id FOR NO KEY UPDATE OF p
      )
      UPDATE photo p SET taken_at = to_timestamp(t.taken_at) FROM timeless t
      WHERE p.collection_id = t.collection_id AND p.id = t.id
      """,
      [
        .int64(collection.id), .int64Array(told.map(\.id)), .doubleArray(told.map(\.takenAt)),
      ])
  }
}
