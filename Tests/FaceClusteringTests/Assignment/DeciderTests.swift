import Testing
import Vectors

@testable import FaceClustering
@testable import Store

/// The tiers and gates as functions over values.
@Suite struct DeciderTests {
  private func clusters(_ count: Int, persons: [Int64]? = nil) -> LiveClusters {
    var live = LiveClusters()
    live.ids = (0..<count).map { 100 + Int64($0) }
    live.personIDs = persons ?? (0..<count).map { 200 + Int64($0) }
    live.personNames = Array(repeating: nil, count: count)
    live.faceCounts = Array(repeating: 5, count: count)
    live.verified = Array(repeating: false, count: count)
    live.epsilons = Array(repeating: CosineDistance(0.5), count: count)
    live.runIDs = Array(repeating: 1, count: count)
    return live
  }

  private func context(_ live: LiveClusters) -> AssignmentContext {
    AssignmentContext(
      settings: StageSettings(), clusters: live, prohibitions: Prohibitions(),
      personOfLinked: [:], occupants: [:])
  }

  private func near(_ distances: [Double]) -> [NearCluster] {
    distances.enumerated().map { NearCluster(cluster: $0, distance: CosineDistance($1)) }
  }

  private func vote(_ cluster: Int, _ distance: Double = 0.1) -> TierOneVote {
    TierOneVote(cluster: cluster, probability: 0.7, distance: CosineDistance(distance))
  }

  @Test func theVoteOfTheModelComesFirst() {
    var decider = AssignmentDecider(context(clusters(2)))
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: vote(1), near: near([0.05, 0.1]))
        == .assigned(cluster: 1, tier: "predict", confidence: 0.7))
  }

  @Test func nothingNearIsThePool() {
    var decider = AssignmentDecider(context(clusters(2)))
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: nil, near: []) == .pool(constrained: false)
    )
  }

  @Test func oneNearClusterTakesTheFace() {
    var decider = AssignmentDecider(context(clusters(1)))
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: nil, near: near([0.25]))
        == .assigned(cluster: 0, tier: "epsilon_ball", confidence: 0.75))
    // In reach of the radius but not similar in itself: no question, the pool.
    #expect(
      decider.decide(detectionID: 2, photoID: nil, vote: nil, near: near([0.48]))
        == .pool(constrained: false))
  }

  @Test func aClearWinnerIsTakenAndACloseRaceIsAsked() {
    var decider = AssignmentDecider(context(clusters(2)))
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: nil, near: near([0.1, 0.4]))
        == .assigned(cluster: 0, tier: "epsilon_ball", confidence: 0.9))
    let close = decider.decide(detectionID: 2, photoID: nil, vote: nil, near: near([0.2, 0.21]))
    guard case .pending(let questions) = close else {
      Issue.record("a close race was decided: \(close)")
      return
    }
    #expect(questions.map(\.clusterID) == [100, 101])
    #expect(questions.allSatisfy { $0.reason == "ambiguous" && $0.detectionID == 2 })
  }

  @Test func clustersOfOnePersonAreOneAnswer() {
    var decider = AssignmentDecider(context(clusters(3, persons: [7, 7, 8])))
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: nil, near: near([0.2, 0.21]))
        == .assigned(cluster: 0, tier: "epsilon_ball", confidence: 0.8))
    let close = decider.decide(
      detectionID: 2, photoID: nil, vote: nil, near: near([0.2, 0.205, 0.21]))
    guard case .pending(let questions) = close else {
      Issue.record("a close race was decided: \(close)")
      return
    }
    #expect(questions.map(\.clusterID) == [100, 102])
  }

  @Test func aForbiddenClusterIsClosedToBothTiers() {
    var forbidden = context(clusters(2))
    forbidden.prohibitions.clusters[1] = [100]
    forbidden.prohibitions.persons[2] = [200]
    forbidden.prohibitions.detections[3] = [9]
    forbidden.personOfLinked[9] = 200
    var decider = AssignmentDecider(forbidden)
    for id: Int64 in 1...3 {
      #expect(
        decider.decide(detectionID: id, photoID: nil, vote: vote(0), near: near([0.1]))
          == .pool(constrained: true))
    }
    // Another cluster in reach takes it.
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: vote(0), near: near([0.1, 0.2]))
        == .assigned(cluster: 1, tier: "epsilon_ball", confidence: 0.8))
  }

  @Test func faceAgainstFaceHoldsWithinOneBatch() {
    var linked = context(clusters(1))
    linked.prohibitions.detections = [1: [2], 2: [1]]
    var decider = AssignmentDecider(linked)
    #expect(
      decider.decide(detectionID: 1, photoID: nil, vote: vote(0), near: [])
        == .assigned(cluster: 0, tier: "predict", confidence: 0.7))
    #expect(
      decider.decide(detectionID: 2, photoID: nil, vote: vote(0), near: near([0.1]))
        == .pool(constrained: true))
  }

  @Test func theSecondFaceOfAPhotoIsAsked() {
    var decider = AssignmentDecider(context(clusters(1)))
    _ = decider.decide(detectionID: 1, photoID: 5, vote: vote(0), near: [])
    #expect(
      decider.decide(detectionID: 2, photoID: 5, vote: vote(0), near: near([0.1]))
        == .pending([
          CandidateQuestion(
            detectionID: 2, clusterID: 100, similarity: 0.9, reason: "same_photo")
        ]))
    // Other photos, and faces without one, are free.
    for photo: Int64? in [6, nil, nil] {
      #expect(
        decider.decide(detectionID: 3, photoID: photo, vote: vote(0), near: [])
          == .assigned(cluster: 0, tier: "predict", confidence: 0.7))
    }
  }

  @Test func gatesCloseAPersonWithAllClusters() {
    var context = context(clusters(3, persons: [7, 7, 8]))
    context.prohibitions.persons[2] = [7]
    context.prohibitions.detections[3] = [9]
    context.personOfLinked[9] = 7
    var decider = AssignmentDecider(context)
    _ = decider.decide(detectionID: 1, photoID: 5, vote: vote(0), near: [])
    // The other cluster of the same person is closed to a face of the same photo, and asked once.
    #expect(
      decider.decide(detectionID: 4, photoID: 5, vote: vote(1), near: near([0.2, 0.1]))
        == .pending([
          CandidateQuestion(
            detectionID: 4, clusterID: 101, similarity: 0.9, reason: "same_photo")
        ]))
    for id: Int64 in [2, 3] {
      #expect(
        decider.decide(detectionID: id, photoID: nil, vote: vote(1), near: near([0.2, 0.1]))
          == .pool(constrained: true))
    }
  }

  @Test func aQuestionOfAGateOutlivesAnAssignmentElsewhere() {
    var live = clusters(3, persons: [7, 8, 8])
    live.verified[0] = true
    live.verified[1] = true
    var decider = AssignmentDecider(context(live))
    // Verified, and outside four fifths of the radius of 0.5: asked. What the same person has in
    // another cluster answers its own question.
    #expect(
      decider.decide(
        detectionID: 1, photoID: nil, vote: vote(0, 0.42), near: near([0.42, 0.43, 0.1]))
        == .assigned(
          cluster: 2, tier: "epsilon_ball", confidence: 0.9,
          asked: [
            CandidateQuestion(
              detectionID: 1, clusterID: 100, similarity: 0.58, reason: "verified")
          ]))
  }

  @Test func aVerifiedClusterDemandsFourFifthsOfItsRadius() {
    var live = clusters(1)
    live.verified[0] = true
    var decider = AssignmentDecider(context(live))
    let inside = decider.decide(detectionID: 1, photoID: nil, vote: vote(0, 0.39), near: [])
    #expect(inside == .assigned(cluster: 0, tier: "predict", confidence: 0.7))
    let outside = decider.decide(
      detectionID: 2, photoID: nil, vote: vote(0, 0.4), near: near([0.4]))
    guard case .pending(let questions) = outside else {
      Issue.record("a verified cluster took a far face: \(outside)")
      return
    }
    #expect(questions.map(\.reason) == ["verified"])
  }
}

/// The relative and the absolute gate.
@Suite struct TwoGateRuleTests {
  private let rule = TwoGateRule(temperature: 0.05, relative: 0.8, absolute: 0.5)

  @Test func bothGatesMustOpen() {
    #expect(rule.accept([]) == nil)
    #expect(rule.accept([0.6]) == 0)
    #expect(rule.accept([0.49]) == nil)
    #expect(rule.accept([0.5, 0.9]) == 1)
    #expect(rule.accept([0.9, 0.9]) == nil)
    // A softmax share of 0.8 needs a lead of 0.05 · ln 4 = 0.0693.
    #expect(rule.accept([0.7, 0.7 - 0.0694]) == 0)
    #expect(rule.accept([0.7, 0.7 - 0.0693]) == nil)
    // Many distant rivals together share the softmax.
    #expect(rule.accept([0.7] + [Double](repeating: 0.6, count: 20)) == nil)
  }
}
