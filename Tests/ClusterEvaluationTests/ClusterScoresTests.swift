import ClusterEvaluation
import Testing

@Suite struct ClusterScoresTests {
  @Test func aWorkedExample() throws {
    // Cluster 0 holds a a a b, cluster 1 holds b b, cluster 2 holds a; one b is noise.
    let labels = [0, 0, 0, 0, 1, 1, 2, -1, 0]
    let truth = [0, 0, 0, 1, 1, 1, 0, 1, -1]
    let scores = try ClusterScores(labels: labels, truth: truth)
    #expect(scores.faces == 8)
    #expect(scores.clusters == 3)
    #expect(scores.noise == 1)
    #expect(scores.identities == 2)
    // Pairs together: 6 + 1, of which right: 3 + 1; true pairs: 6 + 6.
    #expect(scores.pairwise == PrecisionRecall(precision: 4.0 / 7, recall: 4.0 / 12))
    // Precision (9/4 + 1/4 + 4/2 + 1 + 1) / 8, recall (9/4 + 1/4 + 4/4 + 1/4 + 1/4) / 8.
    #expect(abs(scores.bcubed.precision - 6.5 / 8) < 1e-15)
    #expect(abs(scores.bcubed.recall - 4.0 / 8) < 1e-15)
    // Values of scikit-learn 1.9.1 with the noise face as a cluster of its own.
    #expect(abs(scores.adjustedRand - 0.15384615384615385) < 1e-12)
    #expect(abs(scores.normalisedMutualInformation - 0.4322625001966789) < 1e-12)
    // a leads clusters 0 and 2, b leads cluster 1; one b sits in cluster 0.
    #expect(scores.mergesNeeded == 1)
    #expect(scores.facesToRemove == 1)
    // The b on its own has others elsewhere.
    #expect(scores.facesToPlace == 1)
  }

  @Test func agreementIsOneWhateverTheNumbers() throws {
    let scores = try ClusterScores(labels: [7, 7, 3, 3, -1], truth: [0, 0, 9, 9, 4])
    #expect(scores.pairwise == PrecisionRecall(precision: 1, recall: 1))
    #expect(scores.bcubed == PrecisionRecall(precision: 1, recall: 1))
    #expect(scores.adjustedRand == 1)
    #expect(abs(scores.normalisedMutualInformation - 1) < 1e-15)
    #expect(scores.mergesNeeded == 0)
    #expect(scores.facesToRemove == 0)
    // Whoever has one face is right on its own.
    #expect(scores.facesToPlace == 0)
  }

  @Test func nothingClusteredIsPreciseAndUseless() throws {
    let scores = try ClusterScores(labels: [-1, -1, -1, -1], truth: [0, 0, 1, 1])
    #expect(scores.pairwise == PrecisionRecall(precision: 1, recall: 0))
    #expect(scores.pairwise.f == 0)
    #expect(scores.bcubed == PrecisionRecall(precision: 1, recall: 0.5))
    #expect(scores.adjustedRand == 0)
    #expect(scores.clusters == 0)
    #expect(scores.mergesNeeded == 0 && scores.facesToRemove == 0)
    #expect(scores.facesToPlace == 4)
  }

  @Test func noFacesOrNoKnownIdentities() throws {
    for scores in [
      try ClusterScores(labels: [], truth: []),
      try ClusterScores(labels: [0, 1], truth: [-1, -1]),
    ] {
      #expect(scores.faces == 0)
      #expect(scores.pairwise.f == 1)
      #expect(scores.bcubed.f == 1)
      #expect(scores.adjustedRand == 1)
    }
  }

  @Test func aTiedMajorityGoesToTheSmallerIdentity() throws {
    // Both clusters are half 0 and half 1: identity 0 leads both and needs one merge.
    let scores = try ClusterScores(labels: [0, 0, 1, 1], truth: [0, 1, 1, 0])
    #expect(scores.mergesNeeded == 1)
    #expect(scores.facesToRemove == 2)
    #expect(abs(scores.adjustedRand - -0.5) < 1e-15)
  }

  @Test func differentLengthsAreRefused() {
    #expect(throws: EvaluationError.lengthMismatch(labels: 2, truth: 3)) {
      try ClusterScores(labels: [0, 1], truth: [0, 1, 2])
    }
    #expect(
      EvaluationError.lengthMismatch(labels: 2, truth: 3).description
        == "2 labels cannot be compared with 3 identities: give one for each face")
  }
}
