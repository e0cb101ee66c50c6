/// A piece of work that waits for a worker, runs, or was given up.
public struct JobRecord: Sendable, Equatable {
  /// Where a job stands; one that is done has no row any more.
  public enum Status: String, Sendable, Codable {
    /// Waits for a worker, or for its next attempt.
    case queued
    /// A worker holds its lease.
    case running
    /// Given up after too many attempts: a dead letter.
    case dead
  }

  /// Id within the collection.
  public var id: Int64
  /// The collection that it is about.
  public var collectionID: Int64
  /// Its name.
  public var collectionName: String
  /// What is to be done.
  public var kind: JobKind
  /// Where it stands.
  public var status: Status
  /// How often it was begun.
  public var attempts: Int
  /// Why the last attempt failed; nil where none did.
  public var error: String?
  /// Before this it is not begun; seconds since 1970.
  public var runAfter: Double
  /// The worker that holds it.
  public var leasedBy: String?
  /// When that worker's lease ends unless it is renewed; seconds since 1970.
  public var leasedUntil: Double?
  /// Seconds since 1970.
  public var createdAt: Double
}

/// The kinds of work in the queue.
public enum JobKind: String, Sendable, Codable, CaseIterable {
  /// Decide every face of the collection that has no status.
  case assign
}
