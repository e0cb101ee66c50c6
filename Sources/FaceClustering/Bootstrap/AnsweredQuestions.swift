internal import Store

/// Questions of a plan that are none, given the persons that its clusters go under.
///
/// When a question is raised, nobody knows yet which person the cluster will be of.
struct AnsweredQuestions {
  /// The person of a planned cluster: one that there is, or that of the new cluster it is born with.
  private enum Person: Hashable {
    case known(Int64)
    case born(cluster: Int)
  }

  private let said: PlannedProhibitions
  private let persons: [Person]
  private let clustersOfPerson: [Person: [Int]]
  /// Of the faces that are asked about.
  private let clusterOfFace: [Int64: Int]

  /// - Complexity: O(n).
  init(_ input: BootstrapInput, _ plan: BootstrapPlan) {
    said = PlannedProhibitions(input, plan)
    let personOf = Dictionary(uniqueKeysWithValues: zip(input.live.ids, input.live.personIDs))
    let persons = plan.clusters.enumerated().map { index, cluster -> Person in
      let known =
        cluster.movesToPersonID ?? cluster.existingID.flatMap { personOf[$0] }
        ?? cluster.inheritedPersonID
      return known.map(Person.known) ?? .born(cluster: cluster.sharesPersonOf ?? index)
    }
    self.persons = persons
    clustersOfPerson = Dictionary(grouping: persons.indices) { persons[$0] }
    let asked = Set(plan.questions.map(\.detectionID))
    var clusterOfFace: [Int64: Int] = [:]
    for (index, cluster) in plan.clusters.enumerated() {
      for face in cluster.faces where asked.contains(face) { clusterOfFace[face] = index }
    }
    self.clusterOfFace = clusterOfFace
  }

  /// Takes them out: the face is with that person, or people said that it is not.
  static func drop(from plan: inout BootstrapPlan, _ input: BootstrapInput) {
    if plan.questions.isEmpty { return }
    let answered = AnsweredQuestions(input, plan)
    plan.questions.removeAll(where: answered.contains)
  }

  private func contains(_ question: PlannedQuestion) -> Bool {
    let person = persons[question.cluster]
    if clusterOfFace[question.detectionID].map({ persons[$0] == person }) ?? false { return true }
    let id: Int64? = if case .known(let id) = person { id } else { nil }
    return said.forbid(question.detectionID, clustersOfPerson[person] ?? [], person: id)
  }
}
