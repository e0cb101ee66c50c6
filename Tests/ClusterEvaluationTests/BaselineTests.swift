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

  /// What is compared once for many thresholds, or merged once, is what each threshold gives alone.
  @Test func manyThresholdsAtOnce() throws {
    let vectors = try makeFaces(count: 600, people: 40, dimensions: 20, spread: 0.8, seed: 11)
      .vectors
    let pairs = try ComparedPairs(vectors, within: CosineDistance(0.5), threads: 2)
    let few = try ComparedPairs(vectors, within: CosineDistance(0.5), memoryLimit: 1200)
    #expect(pairs.areKept && !few.areKept)
    let tree = try AverageLinkageTree(vectors, upTo: CosineDistance(0.9))
    // Beyond what the pairs were compared for, too.
    for value in [0, 0.1, 0.25, 0.4, 0.5, 0.7] {
      let threshold = CosineDistance(value)
      let dense = try densityBaseline(vectors, radius: threshold, minFaces: 3)
      let whispers = try chineseWhispers(vectors, threshold: threshold)
      for compared in [pairs, few] {
        #expect(try densityBaseline(compared, radius: threshold, minFaces: 3) == dense)
        #expect(try chineseWhispers(compared, threshold: threshold) == whispers)
      }
      #expect(try averageLinkage(vectors, threshold: threshold) == tree.labels(within: threshold))
    }
    #expect(throws: EvaluationError.self) {
      try densityBaseline(pairs, radius: CosineDistance(.nan), minFaces: 3)
    }
    #expect(throws: EvaluationError.self) {
      try ComparedPairs(Matrix<Float>([[1, 0], [3, 4]]), within: CosineDistance(0.5))
    }
  }

  @Test func keptPairsAreDecidedExactly() throws {
    // 45 degrees, which floats do not hold exactly, among pairs that were kept for a wider threshold.
    let vectors = try Matrix<Float>([[1, 0], [1, 1], [0, 1]]).normalised()
    let pairs = try ComparedPairs(vectors, within: CosineDistance(0.9))
    let right = 1 - vectors.dotProduct(0, 1)
    #expect(try densityBaseline(pairs, radius: CosineDistance(right), minFaces: 2) == [0, 0, 0])
    let below = CosineDistance(right.nextDown.nextDown)
    #expect(try densityBaseline(pairs, radius: below, minFaces: 2) == [-1, -1, -1])
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
