import Dispatch
import FaceClustering
import Foundation
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing

/// Tests that need the server run one after the other: they share two processors.
///
/// The limit is there for what hangs: the shortest of all that apply to a test counts.
@Suite(.serialized, .timeLimit(.minutes(10 + Int(soakSeconds / 60)))) struct OnPostgres {}

/// How long everybody writes at once.
let soakSeconds =
  (ProcessInfo.processInfo.environment["PHOTODB_SOAK_MINUTES"].flatMap(Double.init) ?? 0.15) * 60

/// A database with one open collection.
struct TestStage: Sendable {
  let pool: PostgresPool
  let stage: FaceClustering

  var collection: CollectionRecord { stage.collection }

  /// Runs a test in a database of its own.
  static func run<T: Sendable>(
    dimension: Int = 128, settings: StageSettings = StageSettings(),
    _ body: (TestStage) async throws -> T
  ) async throws -> T {
    try await TestServer.shared.withFreshDatabase { pool in
      try await refuseUnsaidChanges(pool)
      let stage = try await TestStage.open(pool, dimension: dimension, settings: settings)
      let result = try await body(stage)
      try await stage.expectInvariants()
      return result
    }
  }

  /// Whoever remembers clusters goes by `changed_in`, so no statement of the program may forget it; what
  /// tests write themselves may.
  private static func refuseUnsaidChanges(_ pool: PostgresPool) async throws {
    let seen = """
      person_id, face_count, verified, anchored, epsilon, hdbscan_run_id, reference_count,
      reference_length, reference_centroid, retired_at
      """.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }
    func row(_ of: String) -> String { "(\(seen.map { "\(of).\($0)" }.joined(separator: ", ")))" }
    try await pool.query(
      """
      CREATE FUNCTION refuse_unsaid_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.changed_in IS DISTINCT FROM pg_current_xact_id() THEN
          RAISE 'cluster % changed and changed_in does not say so', NEW.id;
        END IF;
        RETURN NEW;
      END $$
      """)
    try await pool.query(
      """
      CREATE TRIGGER refuse_unsaid_change BEFORE UPDATE ON cluster FOR EACH ROW
      WHEN (current_query() LIKE '%collection_id = $1%'
        AND \(row("OLD")) IS DISTINCT FROM \(row("NEW")))
      EXECUTE FUNCTION refuse_unsaid_change()
      """)
    try await pool.query(
      """
      CREATE TRIGGER refuse_unsaid_birth BEFORE INSERT ON cluster FOR EACH ROW
      EXECUTE FUNCTION refuse_unsaid_change()
      """)
  }

  /// Opens a collection, with a model cache of its own unless one is given.
  static func open(
    _ pool: PostgresPool, collection: String = "faces", dimension: Int = 128,
    settings: StageSettings = StageSettings(), models: ModelCache = ModelCache()
  ) async throws -> TestStage {
    var settings = settings
    // Angles on a circle are no faces: what is tested with them are the plain labels of density.
    if dimension == Circle.dimension { settings.clusterExtraction = .density }
    return TestStage(
      pool: pool,
      stage: try await FaceClustering.openOrCreate(
        pool: pool, collection: collection, embeddingModel: "test", dimension: dimension,
        settings: settings, models: models, threads: 2, logger: TestServer.silentLogger))
  }

  /// The same collection with other settings, as another process would open it.
  func reopened(
    settings: StageSettings? = nil, models: ModelCache = ModelCache()
  ) async throws -> TestStage {
    try await TestStage.open(
      pool, collection: collection.name, dimension: collection.dimension,
      settings: settings ?? stage.settings, models: models)
  }

  /// Puts a cluster under another person.
  func give(_ cluster: Int64, toPerson person: Int64) async throws {
    let clusters = ClusterRepository(collection)
    try await pool.withTransaction { try clusters.give([cluster], toPerson: person, on: $0) }
  }

  func expectInvariants(_ location: SourceLocation = #_sourceLocation) async throws {
    let violations = try await InvariantChecker(collection).violations(in: pool)
    #expect(violations == [], sourceLocation: location)
  }

  /// Every detection by its external id.
  func faces() async throws -> [String: AssignmentRow] {
    let rows = Mutex<[String: AssignmentRow]>([:])
    try await stage.exportAssignments { row in rows.withLock { $0[row.externalID] = row } }
    return rows.withLock { $0 }
  }

  /// The one value that a statement returns, as text.
  func value(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> String? {
    try await pool.query("SELECT (\(sql))::text", parameters).single().optionalText(0)
  }

  /// Whether a session of this database waits for a lock on a row.
  func somebodyWaitsForALock() async throws -> Bool {
    try await value(
      """
      SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE NOT l.granted AND a.datname = current_database())
      """) == "true"
  }

  /// Everything that tells where faces and clusters are; two equal texts, two equal states.
  func fingerprint() async throws -> String {
    let parts = [
      """
      SELECT coalesce(jsonb_agg(to_jsonb(d) - 'assigned_run_id' ORDER BY id), '[]')
      FROM person_detection d
      """,
      "SELECT coalesce(jsonb_agg(to_jsonb(c) - 'hdbscan_run_id' - 'changed_in' ORDER BY id), '[]') FROM cluster c",
      "SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY id), '[]') FROM face_match_candidate m",
      "SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY id), '[]') FROM person p",
      "SELECT to_jsonb(count(*)) FROM assignment_event",
    ]
    var result = ""
    for part in parts { result += (try await value(part) ?? "") + "\n" }
    return result
  }
}

/// Waits for asynchronous work on a thread that may block, such as one that a fit runs on.
func waiting<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value
{
  let done = DispatchSemaphore(value: 0)
  let result = Mutex<Result<Value, any Error>?>(nil)
  Task.detached {
    do {
      let value = try await work()
      result.withLock { $0 = .success(value) }
    } catch {
      result.withLock { $0 = .failure(error) }
    }
    done.signal()
  }
  done.wait()
  return try #require(result.withLock { $0 }).get()
}

/// A progress handler that does something once, in the middle of a fit.
func once(_ work: @escaping @Sendable () async throws -> Void) -> @Sendable () -> Void {
  let begun = Mutex(false)
  return {
    let first = begun.withLock { begun in
      defer { begun = true }
      return !begun
    }
    if !first { return }
    #expect(throws: Never.self) { try waiting(work) }
  }
}
