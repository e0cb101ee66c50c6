internal import PostgresClient
internal import Store

extension HumanActions {
  /// Names a person; nil takes the name away.
  func name(
    person id: Int64, _ name: String?, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try PersonName.check(name)
    try CollectionLocks(collection).ownMembership(on: connection)
    _ = try livePerson(id, on: connection)
    var scope = ActionScope(persons: [id])
    scope.say("name", of: .person, [id])
    let action = try begin("name", scope, on: connection)
    try persons.name(id, name, on: connection)
    return try finish(
      action, "name", scope,
      summary: name.map { "person \(id) is “\($0)”" } ?? "person \(id) is unnamed",
      personIDs: [id], on: connection)
  }

  /// Hides a person from lists, or shows it again.
  func hide(
    person id: Int64, _ hidden: Bool, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    _ = try livePerson(id, on: connection)
    var scope = ActionScope(persons: [id])
    scope.say("hidden", of: .person, [id])
    let action = try begin("hide", scope, on: connection)
    try persons.hide(id, hidden, on: connection)
    return try finish(
      action, "hide", scope, summary: "\(hidden ? "hid" : "showed") person \(id)",
      personIDs: [id], on: connection)
  }

  /// Gives the clusters of persons, retired ones too, to another one; clusters themselves stay as they are.
  ///
  /// A face that people said is not of that person goes to the pool instead, and is named. The person
  /// keeps its name, and takes the only one where it has none; names that go are named, too.
  ///
  /// - Parameters:
  ///   - kind: what the log calls it.
  ///   - question: the question that is answered with it.
  func merge(
    persons sources: [Int64], into heir: Int64, anyway: Bool, kind: String = "merge",
    answering question: CandidateRecord? = nil, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    let target = try persons.find(heir, on: connection)
    let sources = Set(sources).sorted()
    if sources.contains(heir) { throw HumanActionError.samePerson(heir) }
    let records = try sources.map { try livePerson($0, on: connection) }
    let lostNames = try namesThatGo(records, into: target)
    let moving = try clusters.ids(ofPersons: sources, on: connection)
    // A run that is put in charge again brings them back, and what people rejected them for stays so.
    let retired = try clusters.ids(ofPersons: sources, areRetired: true, on: connection)
    let own = try clusters.ids(ofPersons: [heir], on: connection)
    let all = sources + [heir]
    let contradicted = try review.contradictions(
      inClusters: moving + own, persons: all, on: connection)
    let different = try review.differentFaces(inClusters: moving + own, on: connection)
    let undecided = try review.waiting(betweenPersons: all, on: connection)
    var scope = ActionScope(
      detections: Set(contradicted).union(different.flatMap { [$0.a, $0.b] })
        .union(try review.asking(within: moving + own, on: connection))
        .union(question.map { [$0.detectionID] } ?? []),
      clusters: Set(moving + retired + own), persons: Set(all))
    let action = try begin(kind, scope, on: connection)
    let names = try detections.externalIDs(of: contradicted, on: connection)
    if let pair = different.first, !anyway {
      let pairNames = try detections.externalIDs(of: [pair.a, pair.b], on: connection)
      throw HumanActionError.differentPersons(
        externalID: pairNames[pair.a] ?? "\(pair.a)", other: pairNames[pair.b] ?? "\(pair.b)")
    }
    try review.forgetPairs(different, on: connection)
    var aside: [String] = []
    if anyway {
      try review.allow(detections: contradicted, persons: all, on: connection)
    } else {
      try setAside(contradicted, action: action, on: connection)
      aside = contradicted.compactMap { names[$0] }
    }
    if let question {
      try review.answer(
        detectionID: question.detectionID, clusters: [question.clusterID], accepted: true,
        actor: actor, on: connection)
    }
    try clusters.give(moving + retired, toPerson: heir, on: connection)
    scope.say(
      "forbidden", of: .prohibition,
      try review.inheritProhibitions(
        ofPersons: sources, for: heir, actor: actor, on: connection))
    try review.closeMoot(about: moving + own, on: connection)
    if target.name == nil, let name = records.compactMap(\.name).first {
      try persons.name(heir, name, on: connection)
      scope.say("name", of: .person, records.filter { $0.name == name }.map(\.id))
    }
    let report = try finish(
      action, kind, scope,
      summary: (question.map { "candidate \($0.id): " } ?? "")
        + "merged person \(sources.map(String.init).joined(separator: ", ")) into \(heir): "
        + count(records.reduce(0) { $0 + $1.faceCount } - (anyway ? 0 : contradicted.count))
        + Self.farewell(to: lostNames),
      setAside: aside, lostNames: lostNames, clusterIDs: moving, personIDs: [heir] + sources,
      on: connection)
    // Between them there is nothing to choose any more.
    try waiting.tryAgain(undecided, on: connection)
    return report
  }

  /// The names that nobody has any more after a merge, each once.
  ///
  /// - Throws: ``HumanActionError/severalNames(person:others:names:)`` where there is a choice between
  ///   names, and nobody made it.
  private func namesThatGo(_ sources: [PersonRecord], into heir: PersonRecord) throws -> [String] {
    let named = sources.filter { $0.name != nil }
    var names: [String] = []
    for name in named.compactMap(\.name) where name != heir.name && !names.contains(name) {
      names.append(name)
    }
    if heir.name != nil { return names }
    if names.count > 1 {
      throw HumanActionError.severalNames(
        person: heir.id, others: named.map(\.id), names: named.compactMap(\.name))
    }
    return []
  }

  private static func farewell(to names: [String]) -> String {
    let quoted = names.map { "“\($0)”" }
    guard let last = quoted.last else { return "" }
    if quoted.count == 1 { return "; the name \(last) goes" }
    return "; the names \(quoted.dropLast().joined(separator: ", ")) and \(last) go"
  }

  /// Gives every cluster of a person but the largest a person of its own, and keeps all of them as they are:
  /// no later run joins them again.
  func separate(
    person id: Int64, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    _ = try persons.find(id, on: connection)
    let records = try clusters.ids(ofPersons: [id], on: connection)
      .map { try clusters.find($0, on: connection) }
    if records.isEmpty { throw HumanActionError.noCluster(person: id) }
    if records.count == 1 { throw HumanActionError.oneCluster(person: id) }
    let stays = records.max { ($0.faceCount, -$0.id) < ($1.faceCount, -$1.id) }?.id
    let leaving = records.map(\.id).filter { $0 != stays }
    var scope = ActionScope(clusters: Set(records.map(\.id)), persons: [id])
    let action = try begin("separate", scope, on: connection)
    let made = try persons.make(leaving.count, on: connection)
    scope.persons.formUnion(made)
    for (cluster, person) in zip(leaving, made) {
      try clusters.give([cluster], toPerson: person, on: connection)
    }
    try clusters.anchor(records.map(\.id), on: connection)
    scope.say("anchored", of: .cluster, records.map(\.id))
    return try finish(
      action, "separate", scope,
      summary: "separated \(count(leaving.count, "cluster")) from person \(id)",
      clusterIDs: leaving, personIDs: [id] + made, on: connection)
  }
}
