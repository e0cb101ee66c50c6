import FaceClustering
import Foundation
import PostgresClient
import Store
import Synchronization
import Testing

/// What people said and took back, and what of it must therefore hold in the end.
///
/// Each deed has an actor of its own. The log of actions then tells which deeds happened, also where
/// the connection was cut before the answer came, and in which order. The ledger plays them again
/// without those that were undone.
final class Ledger: Sendable {
  /// What somebody set out to do.
  enum Deed {
    case assign(face: String, name: String?)
    case accept(face: String)
    case reject(face: String)
    case rejectQuestion(face: String)
    case merge(sources: [Int64])
    case separate, split, verify, withdraw, undo, activate
    case name(person: Int64, String?)
    case rejectPerson(face: String)
    /// What is shown, and how.
    case look
  }

  /// What nobody but a human may change.
  struct Said {
    var clusterOfFace: [String: Int64] = [:]
    var notThere: [String: Set<Prohibition>] = [:]
    var names: [Int64: String] = [:]
    /// Whose name was taken back, maybe only after a merge that had left it to them.
    var nameless: Set<Int64> = []
    var verified: Set<Int64> = []
    var personOfCluster: [Int64: Int64] = [:]
  }

  struct Prohibition: Hashable {
    let cluster: Int64
    let person: Int64
  }

  private struct State {
    var deeds: [String: Deed] = [:]
    /// Actors whose deed was acknowledged.
    var answered: Set<String> = []
  }
  private let state = Mutex(State())
  /// Faces that somebody set out to delete: what was said of them goes with them, and none comes back
  /// under the same id.
  let deleted = Mutex<Set<String>>([])
  /// How often each writer did something.
  let done = Mutex<[String: Int]>([:])

  /// Does something under an actor of its own.
  func act(_ deed: Deed, _ work: (_ actor: String) async throws -> Void) async throws {
    let actor = state.withLock { state in
      let actor = "actor \(state.deeds.count)"
      state.deeds[actor] = deed
      return actor
    }
    try await work(actor)
    state.withLock { _ = $0.answered.insert(actor) }
  }

  /// What holds now of one collection, and which acknowledged deeds are in no log.
  static func read(
    _ ledger: Ledger, _ tenants: [TestStage]
  ) async throws -> (said: [Said], kinds: [String: Int], lost: Set<String>) {
    var said: [Said] = []
    var kinds: [String: Int] = [:]
    var lost = ledger.state.withLock { $0.answered }
    for tenant in tenants {
      let records = try await tenant.stage.actions(limit: .max)
      for record in records {
        kinds[record.kind, default: 0] += 1
        if let actor = record.actor { lost.remove(actor) }
      }
      said.append(try ledger.replay(records.reversed()))
    }
    return (said, kinds, lost)
  }

  private func replay(_ records: [HumanActionRecord]) throws -> Said {
    // Each undo turns what people did off or on again, whichever undo it names.
    var roots: [Int64: Int64] = [:]
    var undone: Set<Int64> = []
    for record in records {
      let root = record.undoes.map { roots[$0] ?? $0 } ?? record.id
      roots[record.id] = root
      if root != record.id, undone.insert(root).inserted == false { undone.remove(root) }
    }
    let marked = records.filter { $0.undoes == nil && $0.undoneBy != nil }.map(\.id)
    #expect(undone == Set(marked), "what the log calls undone")
    var said = Said()
    for record in records {
      let deed = state.withLock { state in record.actor.flatMap { state.deeds[$0] } }
      guard let deed else { continue }
      let report = try JSONDecoder().decode(
        HumanActionReport.self, from: Data(record.detailsJSON.utf8))
      if undone.contains(record.id) {
        if case .name(let person, _) = deed { said.nameless.insert(person) }
      } else {
        said.note(deed, report)
      }
    }
    return said
  }
}

extension Ledger.Said {
  fileprivate mutating func note(_ deed: Ledger.Deed, _ report: HumanActionReport) {
    let (clusters, persons) = (report.clusterIDs, report.personIDs)
    switch deed {
    case .accept where persons.count > 1:
      // It was asked whether two persons are one.
      note(.merge(sources: Array(persons.dropFirst())), report)
    case .assign(let face, _), .accept(let face):
      clusterOfFace[face] = clusters[0]
      // A yes takes back every earlier no about a cluster that the person has by now.
      notThere[face] = nil
      if case .assign(_, let name?) = deed { names[persons[0]] = name }
    case .reject(let face), .rejectQuestion(let face):
      if report.moved > 0 { clusterOfFace[face] = nil }
      notThere[face, default: []].insert(.init(cluster: clusters[0], person: persons[0]))
    case .merge(let sources):
      for face in report.setAside { clusterOfFace[face] = nil }
      for cluster in clusters { personOfCluster[cluster] = persons[0] }
      // One name among them is the name of all.
      let given = Set(sources.compactMap { names[$0] })
      if names[persons[0]] == nil, !nameless.contains(persons[0]), given.count == 1 {
        names[persons[0]] = given.first
      }
    case .separate:
      for (cluster, person) in zip(clusters, persons.dropFirst()) {
        personOfCluster[cluster] = person
      }
    case .split:
      for (cluster, person) in zip(clusters, persons) { personOfCluster[cluster] = person }
    case .verify: verified.insert(clusters[0])
    case .withdraw: verified.remove(clusters[0])
    case .name(let person, let name):
      names[person] = name
      if name == nil { nameless.insert(person) }
    case .rejectPerson(let face):
      if report.moved > 0 { clusterOfFace[face] = nil }
    case .undo, .activate, .look: break
    }
  }
}
