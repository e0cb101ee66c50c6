import ClusterEvaluation
import Testing
import Vectors

/// The baselines against direct implementations of their definitions.
@Suite struct BaselineTests {
  @Test(arguments: [(0.2, 3), (0.35, 3), (0.5, 1), (0.5, 8), (1.2, 2)])
  func densityByDefinition(radius: Double, minFaces: Int) throws {
    let vectors = try makeFaces(count: 600, people: 40, dimensions: 20, spread: 0.8, seed: 3)
      .vectors
    let distances = cosineDistances(vectors)
    let near = distances.map { row in row.indices.filter { row[$0] <= radius } }
    let isCore = near.map { $0.count >= minFaces }
    var expected = [Int](repeating: -1, count: vectors.rows)
    var next = 0
    for seed in near.indices where isCore[seed] && expected[seed] < 0 {
      var queue = [seed]
      expected[seed] = next
      while let face = queue.popLast() {
        for other in near[face] where expected[other] < 0 {
          expected[other] = next
          if isCore[other] { queue.append(other) }
        }
      }
      next += 1
    }
    for threads in [1, 2] {
      let labels = try densityBaseline(
        vectors, radius: CosineDistance(radius), minFaces: minFaces, threads: threads)
      #expect(labels == expected)
    }
  }

  @Test(arguments: [0.1, 0.3, 0.5, 0.9])
  func averageLinkageByDefinition(threshold: Double) throws {
    let vectors = try makeFaces(count: 130, people: 12, dimensions: 16, spread: 0.9, seed: 5)
      .vectors
    let distances = cosineDistances(vectors)
    var groups = (0..<vectors.rows).map { [$0] }
    while true {
      var best = (distance: Double.infinity, first: 0, second: 0)
      for first in groups.indices {
        for second in groups.indices where second > first {
          var sum = 0.0
          for a in groups[first] { for b in groups[second] { sum += distances[a][b] } }
          let mean = sum / Double(groups[first].count * groups[second].count)
          if mean < best.distance { best = (mean, first, second) }
        }
      }
      if best.distance > threshold { break }
      groups[best.first] += groups.remove(at: best.second)
    }
    var expected = [Int](repeating: -1, count: vectors.rows)
    for (label, group) in groups.enumerated() { for face in group { expected[face] = label } }
    let labels = try averageLinkage(vectors, threshold: CosineDistance(threshold), threads: 2)
    #expect(sameGroups(labels, expected))
  }

  @Test func whispersFindWellSeparatedPeopleWhateverTheSeed() throws {
    let faces = try makeFaces(count: 400, people: 15, dimensions: 48, spread: 0.4, seed: 7)
    let labels = try chineseWhispers(faces.vectors, threshold: CosineDistance(0.3))
    #expect(sameGroups(labels, faces.identities))
    for seed in UInt64(1)...4 {
      let again = try chineseWhispers(
        faces.vectors, threshold: CosineDistance(0.3), seed: seed, threads: 2)
      #expect(again == labels)
    }
  }

  @Test func whispersAreAFunctionOfTheirArguments() throws {
    // A loose threshold on blurred people, where order matters.
    let vectors = try makeFaces(count: 500, people: 30, dimensions: 12, spread: 0.8, seed: 9)
      .vectors
    let first = try chineseWhispers(vectors, threshold: CosineDistance(0.3), seed: 4, threads: 1)
    #expect(
      try chineseWhispers(vectors, threshold: CosineDistance(0.3), seed: 4, threads: 2) == first)
    #expect(Set(first).count > 10)
  }

  @Test func smallAndDegenerateInput() throws {
    let none = Matrix<Float>(rows: 0, columns: 4) { _, _ in }
    let one = Matrix<Float>([[1, 0, 0, 0]])
    let same = Matrix<Float>(Array(repeating: [0, 1, 0, 0], count: 300))
    for (vectors, expected) in [(none, []), (one, [-1]), (same, Array(repeating: 0, count: 300))] {
      #expect(
        try densityBaseline(vectors, radius: CosineDistance(0.5), minFaces: 3) == expected)
      #expect(try chineseWhispers(vectors, threshold: CosineDistance(0.5)) == expected)
      #expect(try averageLinkage(vectors, threshold: CosineDistance(0.5)) == expected)
    }
  }

  @Test func pairsExactlyAtTheThresholdCount() throws {
    // 45 degrees and a right angle, neither of which floats hold exactly.
    let vectors = try Matrix<Float>([[1, 0], [1, 1], [0, 1]]).normalised()
    let right = vectors.dotProduct(0, 1)
    let distance = CosineDistance(1 - right)
    #expect(try densityBaseline(vectors, radius: distance, minFaces: 2) == [0, 0, 0])
    let below = CosineDistance((1 - right).nextDown.nextDown)
    #expect(try densityBaseline(vectors, radius: below, minFaces: 2) == [-1, -1, -1])
  }

  @Test func badInputIsRefusedInOneLine() throws {
    let long = Matrix<Float>([[1, 0], [3, 4]])
    let error = EvaluationError.notUnitLength(row: 1, length: 5)
    #expect(throws: error) { try densityBaseline(long, radius: CosineDistance(0.5), minFaces: 3) }
    #expect(throws: error) { try chineseWhispers(long, threshold: CosineDistance(0.5)) }
    #expect(throws: error) { try averageLinkage(long, threshold: CosineDistance(0.5)) }
    #expect(
      error.description
        == "row 1 has length 5.0, but must be a unit vector: normalise the vectors first")
    let same = Matrix<Float>(Array(repeating: [0, 1], count: 300))
    #expect(
      throws: EvaluationError.tooMuchMemory(
        method: "average linkage", faces: 300, bytes: 360_000, limit: 1000)
    ) { try averageLinkage(same, threshold: CosineDistance(0.5), memoryLimit: 1000) }
    #expect(throws: EvaluationError.self) {
      try chineseWhispers(same, threshold: CosineDistance(0.5), memoryLimit: 1000)
    }
    #expect(throws: EvaluationError.self) {
      try densityBaseline(same, radius: CosineDistance(.nan), minFaces: 3)
    }
    #expect(averageLinkageMemory(faces: .max) == .max)
  }
}
