internal import HDBSCAN
internal import Vectors

/// Says groups of faces in terms of the hierarchy: its highest nodes that lie within one group.
struct ClustersFromGroups {
  let input: GroupingInput
  let seen: CentredFaces
  let votes: [Double]
  let calibration: SimilarityCalibration
  /// Least faces of a node that is a cluster of its own where its group has a larger one.
  private static let leastFaces = 3

  /// - Parameter groups: the faces of each person, ascending; groups of one face are left out, and so are those
  ///   in which no face was fitted: bad faces are alike because they are bad.
  func clusters(of groups: [[Int]]) -> PeopleGrouping {
    let people = groups.filter { $0.count >= 2 && $0[0] < input.fittedCount }
      .sorted { $0[0] < $1[0] }
    let count = input.embeddings.rows
    var personOfFace = [Int](repeating: -1, count: count)
    for (person, faces) in people.enumerated() {
      for face in faces { personOfFace[face] = person }
    }
    let (nodeOfFace, parents) = highestNodes(personOfFace)
    var found: [(cluster: PeopleGrouping.Cluster, faces: [Int], adopted: [Int])] = []
    for (person, faces) in people.enumerated() {
      found += clusters(of: faces, person: person, nodeOfFace: nodeOfFace).map {
        (
          PeopleGrouping.Cluster(
            node: $0.node, lambdaBirth: lambda(parents[$0.node]),
            persistence: persistence($0.node, parents), person: person,
            surplus: nil), $0.faces, $0.adopted
        )
      }
    }
    var result = PeopleGrouping(
      clusters: [], clusterOfFace: [Int](repeating: -1, count: count),
      isAdopted: [Bool](repeating: false, count: count), personCount: people.count,
      calibration: calibration)
    found.sort { ($0.faces + $0.adopted).min() ?? 0 < ($1.faces + $1.adopted).min() ?? 0 }
    for (index, item) in found.enumerated() {
      result.clusters.append(item.cluster)
      for face in item.faces { result.clusterOfFace[face] = index }
      for face in item.adopted {
        result.clusterOfFace[face] = index
        result.isAdopted[face] = true
      }
    }
    addSurplus(to: &result, people: people)
    return result
  }

  private struct Part {
    var node: Int
    var faces: [Int]
    var adopted: [Int] = []
  }

  private func clusters(of faces: [Int], person: Int, nodeOfFace: [Int]) -> [Part] {
    var parts: [Int: [Int]] = [:]
    for face in faces { parts[nodeOfFace[face], default: []].append(face) }
    let ordered = parts.map { Part(node: $0.key, faces: $0.value) }
      .sorted { ($1.faces.count, $0.faces[0]) < ($0.faces.count, $1.faces[0]) }
    let large = ordered.filter { $0.faces.count >= Self.leastFaces }
    if large.isEmpty {
      // The largest node, or a single fitted face: of equals, the one that the others are most like.
      let ordered = ordered.filter { $0.faces[0] < input.fittedCount }
      let most = ordered[0].faces.count
      let sum = sum(faces)
      let best =
        ordered.prefix { $0.faces.count == most }
        .map { (part: $0, likeness: likeness($0.faces, to: sum)) }
        .max { ($0.likeness, $1.part.faces[0]) < ($1.likeness, $0.part.faces[0]) }
      guard var seed = best?.part else { return [] }
      seed.adopted = faces.filter { nodeOfFace[$0] != seed.node }
      return [seed]
    }
    var result = large
    let sums = large.map { sum($0.faces) }
    for part in ordered where part.faces.count < Self.leastFaces {
      for face in part.faces {
        // The cluster it is most like; the sum is over votes, so a mean needs them.
        let nearest = large.indices.max { a, b in
          (mean([face], sums[a], large[a].faces), -a) < (mean([face], sums[b], large[b].faces), -b)
        }
        if let nearest { result[nearest].adopted.append(face) }
      }
    }
    return result
  }

  private func highestNodes(_ personOfFace: [Int]) -> (nodeOfFace: [Int], parents: [Int]) {
    let hierarchy = input.hierarchy
    guard let root = hierarchy.root else { return ([], []) }
    var parents = [Int](repeating: -1, count: root + 1)
    // The person whose faces alone are below each id, or −1.
    var person = personOfFace + [Int](repeating: -1, count: root + 1 - personOfFace.count)
    for node in stride(from: hierarchy.pointCount, through: root, by: 1) {
      let children = hierarchy.children(of: node)
      let common = children.first.map { person[$0] } ?? -1
      // What was not fitted is below an infinite distance only, and is adopted.
      let isOne =
        hierarchy.distances[node - hierarchy.pointCount].isFinite
        && children.allSatisfy { person[$0] == common }
      person[node] = isOne ? common : -1
      for child in children { parents[child] = node }
    }
    var top = Array(0...root)
    for node in stride(from: root, through: 0, by: -1) where parents[node] >= 0 {
      if person[parents[node]] >= 0 { top[node] = top[parents[node]] }
    }
    return (Array(top.prefix(hierarchy.pointCount)), parents)
  }

  private func lambda(_ node: Int) -> Double {
    guard node >= input.hierarchy.pointCount else { return 0 }
    let distance = input.hierarchy.distances[node - input.hierarchy.pointCount]
    return distance > 0 ? 1 / distance : .infinity
  }

  private func persistence(_ node: Int, _ parents: [Int]) -> Double {
    let hierarchy = input.hierarchy
    func distance(_ id: Int) -> Double {
      id < hierarchy.pointCount ? 0 : hierarchy.distances[id - hierarchy.pointCount]
    }
    guard parents[node] >= 0 else { return 1 }
    let birth = distance(parents[node])
    return birth > 0 ? min(max(1 - distance(node) / birth, 0), 1) : 0
  }

  private func addSurplus(to result: inout PeopleGrouping, people: [[Int]]) {
    var faces = [[Int]](repeating: [], count: result.clusters.count)
    for (face, cluster) in result.clusterOfFace.enumerated() where cluster >= 0 {
      faces[cluster].append(face)
    }
    var total: [Int: [Int]] = [:]
    for index in result.clusters.indices {
      total[result.clusters[index].person, default: []].append(index)
    }
    for (_, clusters) in total where clusters.count > 1 {
      for cluster in clusters {
        let others = clusters.filter { $0 != cluster }.flatMap { faces[$0] }
        let (own, rest) = (vote(faces[cluster]), vote(others))
        let similarity = likeness(faces[cluster], to: sum(others)) / max(own * rest, 1e-9)
        result.clusters[cluster].surplus =
          calibration.evidence(
            meanSimilarity: similarity,
            weight: SimilarityCalibration.weight(
              of: (faces[cluster].count, own), with: (others.count, rest)),
            sizePenalty: SimilarityCalibration.sizePenalty)
          - calibration.threshold
      }
    }
  }

  private func vote(_ faces: [Int]) -> Double { faces.reduce(0) { $0 + votes[$1] } }

  private func sum(_ faces: [Int]) -> [Double] { seen.sum(faces, votes: votes) }

  private func likeness(_ faces: [Int], to other: [Double]) -> Double {
    let own = sum(faces)
    return own.indices.reduce(0) { $0 + own[$1] * other[$1] }
  }

  private func mean(_ faces: [Int], _ sum: [Double], _ others: [Int]) -> Double {
    likeness(faces, to: sum) / max(vote(faces) * vote(others), 1e-9)
  }
}
