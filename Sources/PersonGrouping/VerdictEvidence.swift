internal import Vectors

/// Evidence that faces are of people whose faces are known.
struct VerdictEvidence {
  let faces: CentredFaces
  let votes: [Double]
  let calibration: SimilarityCalibration
  let sizePenalty: Double
  /// Most threads to use; no result depends on it.
  let threads: Int

  /// Most faces whose verdicts are computed.
  private static let most = 1_000

  /// Groups of faces with their sums, and those of their faces that are asked about.
  struct People {
    fileprivate var groups: [[Int]]
    fileprivate var votes: [Double]
    /// A row a group.
    fileprivate var sums: Matrix<Double>
    fileprivate var asked: [(group: Int, face: Int)]
    /// How many faces each of them stands for.
    fileprivate var weight: Double

    var count: Int { groups.count }
  }

  /// What is found of one face that is asked about.
  struct Comparison {
    /// Evidence for its own group; nil where it is alone there.
    var own: Double?
    /// The most evidence for any other group.
    var bestOther: Double?
    /// How many faces it stands for.
    var weight: Double
  }

  /// One group, none of whose own faces is asked about.
  func group(_ faces: [Int]) -> People {
    People(groups: [faces], votes: [total(faces)], sums: sums([faces]), asked: [], weight: 1)
  }

  /// Everybody, and a thousand of their faces to ask about.
  func people(_ groups: [[Int]]) -> People {
    let (asked, weight) = sample(groups)
    return People(
      groups: groups, votes: groups.map(total), sums: sums(groups), asked: asked, weight: weight)
  }

  /// A thousand faces of all, and only those groups that one of them is of.
  func people(sampledFrom groups: [[Int]]) -> People {
    let (asked, weight) = sample(groups)
    let needed = Set(asked.map(\.group)).sorted()
    let place = Dictionary(uniqueKeysWithValues: needed.enumerated().map { ($1, $0) })
    let chosen = needed.map { groups[$0] }
    return People(
      groups: chosen, votes: chosen.map(total), sums: sums(chosen),
      asked: asked.compactMap { face in place[face.group].map { ($0, face.face) } }, weight: weight)
  }

  /// What those who are asked about have to do with their own groups and, if wanted, with all others.
  ///
  /// - Complexity: O(1,000 · groups · d).
  func comparisons(with people: People, amongAll: Bool) -> [Comparison] {
    let vectors = sums(people.asked.map { [$0.face] })
    let count = people.asked.count
    return [Comparison](unsafeUninitializedCapacity: count) { buffer, written in
      // Each index is written by one thread.
      nonisolated(unsafe) let target = buffer
      parallelForChunks(count, chunk: 16, threads: threads) { chunk in
        for index in chunk {
          let (group, face) = people.asked[index]
          var found = Comparison(weight: people.weight)
          if people.groups[group].count > 1 {
            found.own = of(vectors, index, face, group, in: people, including: true)
          }
          if amongAll {
            for other in people.groups.indices where other != group {
              let evidence = of(vectors, index, face, other, in: people, including: false)
              found.bestOther = max(found.bestOther ?? evidence, evidence)
            }
          }
          target.initializeElement(at: index, to: found)
        }
      }
      written = count
    }
  }

  /// Evidence that a face is of the only group, in which it is not.
  func of(_ face: Int, with people: People) -> Double {
    of(sums([[face]]), 0, face, 0, in: people, including: false)
  }

  private func of(
    _ vectors: Matrix<Double>, _ row: Int, _ face: Int, _ group: Int, in people: People,
    including: Bool
  ) -> Double {
    let vote = votes[face]
    var product = Double.dotProduct(
      vectors.row(row), people.sums.row(group), stride: vectors.stride)
    var others = people.votes[group]
    if including {
      product -= vote * vote
      others -= vote
    }
    return calibration.evidence(
      meanSimilarity: product / (vote * max(others, 1e-9)), weight: max(others, 1),
      sizePenalty: sizePenalty)
  }

  private func total(_ group: [Int]) -> Double { group.reduce(0) { $0 + votes[$1] } }

  private func sums(_ groups: [[Int]]) -> Matrix<Double> {
    Matrix<Double>(rows: groups.count, columns: faces.vectors.columns) { base, stride in
      // Each row is written by one thread.
      nonisolated(unsafe) let base = base
      parallelForChunks(groups.count, chunk: 64, threads: threads) { chunk in
        for group in chunk {
          let sum = faces.sum(groups[group], votes: votes)
          for column in sum.indices { base[group * stride + column] = sum[column] }
        }
      }
    }
  }

  /// A thousand faces, drawn by hash, and for how many each stands.
  private func sample(_ groups: [[Int]]) -> (faces: [(group: Int, face: Int)], weight: Double) {
    let all = groups.enumerated().flatMap { group, faces in
      faces.map { (group: group, face: $0) }
    }
    if all.count <= Self.most { return (all, 1) }
    let order = SimilaritySample.order(of: all.map(\.face), in: faces.vectors, threads: threads)
    return (order.prefix(Self.most).map { all[$0] }, Double(all.count) / Double(Self.most))
  }
}
