import FaceClustering
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing
import Vectors

/// Two collections and what the writers share about them.
struct SoakPlace: Sendable {
  /// Angles on a circle that never end, and faces of people that come and go.
  let circle: TestStage
  let people: TestStage
  let fixture: FaceFixture
  let ledger = Ledger()

  var tenants: [TestStage] { [circle, people] }

  /// Both collections with five people each, or more, after a first run.
  static func open(_ pool: PostgresPool) async throws -> SoakPlace {
    let fixture = try FaceFixture.load()
    let place = SoakPlace(
      circle: try await TestStage.open(pool, dimension: 4),
      people: try await TestStage.open(pool, collection: "people"), fixture: fixture)
    _ = try await place.circle.stage.importFaces(
      Circle.file([0.0, 72, 144, 216, 288].flatMap { Circle.person(at: $0, count: 9) }))
    _ = try await place.people.stage.importFaces(
      fixture.file(fixture.people.flatMap { $0.prefix(7) }.sorted()))
    for tenant in place.tenants { _ = try await tenant.stage.bootstrap() }
    return place
  }

  /// One kind of writer; more kinds are more rows in ``writers``.
  struct Writer: Sendable {
    let name: String
    /// Does it once in one of the collections; false where there was nothing to do.
    let act: @Sendable (SoakPlace, TestStage, inout SplitMix64) async throws -> Bool
  }

  static let writers: [Writer] =
    programs
    + (1...2).map { number in
      Writer(name: "person \(number)") { place, test, random in
        try await place.somethingByHand(test, &random)
      }
    }

  private static let programs: [Writer] = [
    Writer(name: "import") { place, test, random in
      _ = try await test.stage.importFaces(place.arrivals(test, &random))
      // Others want their turn.
      try await Task.sleep(for: .milliseconds(60))
      return true
    },
    Writer(name: "assign") { _, test, random in
      _ = try await test.stage.assign(batchSize: Int.random(in: 1...40, using: &random))
      return true
    },
    Writer(name: "force") { _, test, _ in
      _ = try await test.stage.assign(force: true, batchSize: 50)
      return true
    },
    Writer(name: "bootstrap") { _, test, random in
      do {
        let withoutFit = Int.random(in: 0..<3, using: &random) == 0
        _ = try await test.stage.bootstrap(withoutFit: withoutFit)
        return true
      } catch BootstrapError.fitIsIncomplete {
        // Faces of the fit were deleted.
        return false
      }
    },
    Writer(name: "maintain") { _, test, _ in
      let report = try await test.stage.maintain(MaintenanceTask.allCases)
      for task in report.tasks {
        let isCut = task.error?.contains("connection") ?? true
        #expect(isCut, "\(task.task): \(task.error ?? "")")
      }
      return true
    },
    Writer(name: "activate") { place, test, random in
      let completed = try await test.stage.runs().filter {
        $0.status == "completed" && !$0.isActive
      }
      // It moves much: seldom enough that others come to their own.
      guard let run = completed.randomElement(using: &random) else { return false }
      struct WasInCharge: Error {}
      do {
        try await place.ledger.act(.activate) {
          // Others may have put it in charge meanwhile; then this is no action.
          let report = try await test.stage.activate(run: run.id, actor: $0)
          if report.actionID == nil { throw WasInCharge() }
        }
      } catch is WasInCharge { return false }
      try await Task.sleep(for: .milliseconds(200))
      return true
    },
    Writer(name: "delete") { place, test, random in
      let faces = try await test.faces().keys.sorted()
      let gone = Array(
        faces.shuffled(using: &random).prefix(faces.count > 2_000 ? 400 : 1))
      place.ledger.deleted.withLock { $0.formUnion(gone) }
      try await Task.sleep(for: .milliseconds(60))
      return try await test.stage.deleteFaces(externalIDs: gone) > 0
    },
    Writer(name: "cut connections") { _, test, _ in
      try await Task.sleep(for: .milliseconds(300))
      try await test.pool.query(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.1
        """)
      return true
    },
  ]

  /// New faces: near five people or anywhere on the circle; some of the people's faces.
  private func arrivals(_ test: TestStage, _ random: inout SplitMix64) -> FaceFile {
    if test.collection == people.collection {
      var file = fixture.file(
        fixture.identities.indices.shuffled(using: &random).prefix(12).sorted())
      // Some are too small for a fit.
      for index in file.faces.indices where index % 4 == 0 {
        file.faces[index].box = FaceBox(x: 0, y: 0, width: 30, height: 30)
      }
      // One that was deleted comes back as another face.
      ledger.deleted.withLock { deleted in
        for index in file.faces.indices {
          while deleted.contains(file.faces[index].externalID) {
            file.faces[index].externalID += "'"
          }
        }
      }
      return file
    }
    var file = Circle.file(
      (0..<8).map { _ in
        Bool.random(using: &random)
          ? 72 * Double(Int.random(in: 0..<5, using: &random))
            + Double(Int.random(in: -12...12, using: &random))
          : Double(Int.random(in: 0..<360, using: &random))
      })
    let batch = random.next()
    for index in file.faces.indices {
      file.faces[index].externalID = "f\(batch)-\(index)"
      file.faces[index].photo = "p\(batch)-\(index * 2 / 3)"
    }
    return file
  }

  /// What a person may do, at random.
  private func somethingByHand(
    _ test: TestStage, _ random: inout SplitMix64
  ) async throws -> Bool {
    let groups = try await test.groups()
    guard let a = groups.randomElement(using: &random),
      let b = groups.randomElement(using: &random),
      let face = a.faces.randomElement(using: &random)
    else { return false }
    let stage = test.stage
    switch Int.random(in: 0..<17, using: &random) {
    case 0, 1:
      try await ledger.act(.assign(face: face, name: nil)) {
        _ = try await stage.assign(
          externalID: face, to: .cluster(b.cluster), anyway: true, actor: $0)
      }
    case 2:
      try await ledger.act(.assign(face: face, name: "N\(face)")) {
        _ = try await stage.assign(
          externalID: face, to: .newPerson(name: "N\(face)"), anyway: true, actor: $0)
      }
    case 3:
      // Where it is, or where it may come.
      let target = Bool.random(using: &random) ? nil : RejectionTarget.cluster(b.cluster)
      try await ledger.act(.reject(face: face)) {
        _ = try await stage.reject(externalIDs: [face], from: target, actor: $0)
      }
    case 4:
      let sources = Set([a, groups.randomElement(using: &random) ?? a].map(\.person))
        .subtracting([b.person]).sorted()
      if sources.isEmpty { return false }
      try await ledger.act(.merge(sources: sources)) {
        _ = try await stage.merge(persons: sources, into: b.person, actor: $0)
      }
    case 5:
      try await ledger.act(.separate) {
        _ = try await stage.separate(person: a.person, actor: $0)
      }
    case 6:
      // The largest come apart most often.
      let largest = groups.prefix(5).randomElement(using: &random) ?? a
      try await ledger.act(.split) {
        _ = try await stage.split(cluster: largest.cluster, actor: $0)
      }
    case 7:
      try await ledger.act(.verify) {
        _ = try await stage.verify(cluster: a.cluster, actor: $0)
      }
    case 8:
      try await ledger.act(.name(person: a.person, "P\(a.person)")) {
        _ = try await stage.name(person: a.person, "P\(a.person)", actor: $0)
      }
    case 9:
      guard let question = try await stage.candidates().randomElement(using: &random) else {
        return false
      }
      if Bool.random(using: &random) {
        try await ledger.act(.accept(face: question.externalID)) {
          _ = try await stage.accept(candidate: question.id, actor: $0)
        }
      } else {
        try await ledger.act(.rejectQuestion(face: question.externalID)) {
          _ = try await stage.reject(candidates: [question.id], actor: $0)
        }
      }
    case 10:
      try await ledger.act(.withdraw) {
        _ = try await stage.verify(cluster: a.cluster, false, actor: $0)
      }
    case 11:
      try await ledger.act(.name(person: a.person, nil)) {
        _ = try await stage.name(person: a.person, nil, actor: $0)
      }
    case 12:
      try await ledger.act(.look) {
        _ = try await stage.represent(
          cluster: a.cluster, by: Bool.random(using: &random) ? face : nil, actor: $0)
      }
    case 13:
      let hidden = Bool.random(using: &random)
      try await ledger.act(.look) {
        _ =
          Bool.random(using: &random)
          ? try await stage.hide(person: a.person, hidden, actor: $0)
          : try await stage.hide(cluster: a.cluster, hidden, actor: $0)
      }
    case 14:
      try await ledger.act(.rejectPerson(face: face)) {
        _ = try await stage.reject(externalIDs: [face], from: .person(b.person), actor: $0)
      }
    default:
      // The newest, any that stands, or an undo.
      let log = try await stage.actions(limit: 30).filter { $0.undoneBy == nil }
      let undos = log.filter { $0.kind == "undo" }
      let others = log.filter { $0.kind != "undo" }
      let target =
        [nil, nil, others.randomElement(using: &random), undos.randomElement(using: &random)]
        .randomElement(using: &random) ?? nil
      try await ledger.act(.undo) { _ = try await stage.undo(action: target?.id, actor: $0) }
    }
    return true
  }
}
