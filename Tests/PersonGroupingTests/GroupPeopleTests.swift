import ClusterEvaluation
import HDBSCAN
import PersonGrouping
import Testing
import Vectors

@Suite struct GroupPeopleTests {
  @Test func peopleBeatTheFlatCut() throws {
    let demo = try DemoPeople()
    let clustering = try DemoPeople.fit(demo.embeddings)
    let people = try groupPeople(
      GroupingInput(embeddings: demo.embeddings, clustering: clustering))
    let ours = try ClusterScores(labels: people.personOfFace, truth: demo.identities)
    let raw = try ClusterScores(labels: clustering.labels, truth: demo.identities)
    #expect(ours.pairwise.f > 0.9955 && ours.bcubed.f > 0.9905)
    #expect(ours.pairwise.f > raw.pairwise.f && ours.bcubed.f > raw.bcubed.f + 0.03)
    #expect(ours.bcubed.precision > 0.99)
  }

  @Test func everyStepIsWorthSomething() throws {
    let demo = try DemoPeople(every: 2)
    func f(_ change: (inout GroupingSteps) -> Void) throws -> Double {
      var steps = GroupingSteps()
      change(&steps)
      let people = try DemoPeople.group(demo.embeddings, steps: steps)
      return try ClusterScores(labels: people.personOfFace, truth: demo.identities).bcubed.f
    }
    let all = try f { _ in }
    #expect(try f { $0.adoption = false } < all)
    #expect(try f { $0.association = false } < all + 0.002)
    #expect(try f { $0.centring = false } < all)
    #expect(try abs(f { $0.extraction = false } - all) < 0.005)
  }

  @Test(arguments: [0.5, 0.84] as [Float])
  func aSharedComponentChangesNothing(share: Float) throws {
    let demo = try DemoPeople(every: 4)
    let plain = try DemoPeople.group(demo.embeddings)
    let shifted = try DemoPeople.group(withSharedComponent(demo.embeddings, share))
    let (a, b) = (canonical(plain.personOfFace), canonical(shifted.personOfFace))
    // The sample is drawn by hash, so the last digits of the calibration differ.
    #expect(zip(a, b).count { $0 != $1 } <= a.count / 200)
    #expect(abs(plain.calibration.threshold - shifted.calibration.threshold) < 0.05)
    let mean = Double(share) + Double(1 - share) * plain.calibration.impostorMean
    #expect(abs(shifted.calibration.impostorMean - mean) < 0.01)
  }

  @Test func orderAndThreadsChangeNothing() throws {
    let demo = try DemoPeople(every: 4)
    let count = demo.embeddings.rows
    let order = (0..<count).sorted { ($0 * 7919 % count, $0) < ($1 * 7919 % count, $1) }
    let one = try DemoPeople.group(demo.embeddings, threads: 1)
    let two = try DemoPeople.group(demo.embeddings, threads: 2)
    #expect(one.clusterOfFace == two.clusterOfFace && one.clusters == two.clusters)
    let moved = try DemoPeople.group(demo.embeddings.selecting(rows: order))
    var back = [Int](repeating: -1, count: count)
    for (position, face) in order.enumerated() { back[face] = moved.personOfFace[position] }
    #expect(canonical(back) == canonical(one.personOfFace))
  }

  @Test func aClusterIsANodeAndWhatItAdopted() throws {
    let demo = try DemoPeople(every: 4)
    let input = GroupingInput(
      embeddings: demo.embeddings, clustering: try DemoPeople.fit(demo.embeddings))
    let people = try groupPeople(input)
    for (index, cluster) in people.clusters.enumerated() {
      let below = Set(input.hierarchy.points(below: cluster.node))
      let own = people.clusterOfFace.indices.filter {
        people.clusterOfFace[$0] == index && !people.isAdopted[$0]
      }
      #expect(Set(own) == below)
      #expect(cluster.person >= 0 && cluster.person < people.personCount)
      #expect(cluster.persistence >= 0 && cluster.persistence <= 1 && cluster.lambdaBirth >= 0)
    }
    #expect(people.isAdopted.contains(true))
  }

  @Test func onePersonIsOnePerson() throws {
    let demo = try DemoPeople()
    let counts = Dictionary(grouping: demo.identities.indices) { demo.identities[$0] }
    let rows = try #require(counts.values.max { $0.count < $1.count }).sorted()
    for share in [0, 0.84] as [Float] {
      let faces = withSharedComponent(demo.embeddings.selecting(rows: rows), share)
      let people = try DemoPeople.group(faces)
      #expect(people.personCount == 1)
      #expect(people.personOfFace.count { $0 == 0 } >= rows.count - 2)
      #expect(people.calibration.impostorPairs == 0)
    }
  }

  @Test func strangersStayAlone() throws {
    let demo = try DemoPeople()
    var seen: Set<Int> = []
    let rows = demo.identities.indices.filter { seen.insert(demo.identities[$0]).inserted }
    for share in [0, 0.84] as [Float] {
      for count in [5, 12, 40, 1_000] {
        let faces = withSharedComponent(
          demo.embeddings.selecting(rows: Array(rows.prefix(count))), share)
        let people = try DemoPeople.group(faces)
        #expect(people.clusterOfFace.count { $0 >= 0 } <= count / 40)
      }
    }
  }

  @Test func fewFaces() throws {
    let demo = try DemoPeople()
    for count in 0...3 {
      let faces = demo.embeddings.selecting(rows: Array(0..<count))
      let people = try DemoPeople.group(faces)
      #expect(people.clusterOfFace.count == count)
    }
    let copies = demo.embeddings.selecting(rows: [Int](repeating: 0, count: 6))
    #expect(try DemoPeople.group(copies).personOfFace == [Int](repeating: 0, count: 6))
  }

  /// One face, two, twenty, and as many on the other side of everything.
  @Test(arguments: [1, 2, 20], [0, 20])
  func copiesAreOnePersonAndNothingIsNaN(copies: Int, opposite: Int) throws {
    let face = try DemoPeople().embeddings.values(ofRow: 0)
    let faces = Matrix(
      [[Float]](repeating: face, count: copies)
        + [[Float]](repeating: face.map { -$0 }, count: opposite))
    let people = try DemoPeople.group(faces)
    if copies > 1 {
      #expect(Set(people.personOfFace.prefix(copies)).count == 1 && people.personOfFace[0] >= 0)
    }
    #expect(!people.personOfFace.suffix(opposite).contains(people.personOfFace[0]))
    let found = people.calibration
    let arriving = found.forArrivals
    for value in [
      found.impostorMean, found.threshold, found.separation, found.entropy, arriving.separation,
      arriving.similarity(arriving.assignmentGate),
    ] {
      #expect(value.isFinite)
    }
    #expect(found.impostorDeviation > 0 && arriving.impostorDeviation > 0)
    // A further copy joins.
    #expect(arriving.similarity(arriving.assignmentGate) < 1)
  }

  @Test func itCanBeCancelled() throws {
    let demo = try DemoPeople(every: 8)
    let input = GroupingInput(
      embeddings: demo.embeddings, clustering: try DemoPeople.fit(demo.embeddings))
    #expect(throws: GroupingCancelled.self) {
      try groupPeople(input, progress: { $0 < 0.5 })
    }
  }
}
