import HDBSCAN
import PersonGrouping
import Testing
import Vectors

@Suite struct HumanStatementTests {
  private let demo: DemoPeople
  private let clustering: Clustering
  /// Faces of the person with most of them.
  private let person: [Int]

  init() throws {
    let demo = try DemoPeople(every: 4)
    self.demo = demo
    clustering = try DemoPeople.fit(demo.embeddings)
    let faces = Dictionary(grouping: demo.identities.indices) { demo.identities[$0] }
    person = try #require(
      faces.values.max { ($0.count, $1[0]) < ($1.count, $0[0]) }
    ).sorted()
  }

  private func group(
    photos: [Int64?]? = nil, anchors: [Int: Int64] = [:], cannotLink: [(Int, Int)] = []
  ) throws -> PeopleGrouping {
    try groupPeople(
      GroupingInput(
        embeddings: demo.embeddings, clustering: clustering, photos: photos,
        anchors: demo.identities.indices.map { anchors[$0] }, cannotLink: cannotLink))
  }

  @Test func whatBelongsTogetherIsTogether() throws {
    let other = try #require(demo.identities.indices.first { !person.contains($0) })
    let people = try group(anchors: [person[0]: 7, other: 7]).personOfFace
    #expect(people[other] >= 0 && people[other] == people[person[0]])
    #expect(try group().personOfFace[other] != group().personOfFace[person[0]])
  }

  @Test func peopleWhomHumansKnowApartStayApart() throws {
    let people = try group(anchors: [person[0]: 7, person[1]: 8]).personOfFace
    #expect(people[person[0]] != people[person[1]] || people[person[0]] < 0)
  }

  @Test func aPairThatMustNotLinkDoesNot() throws {
    let pairs = [(person[0], person[1]), (person[2], person[3])]
    let people = try group(cannotLink: pairs).personOfFace
    for (first, second) in pairs {
      #expect(people[first] != people[second] || people[first] < 0)
    }
    #expect(try group().personOfFace[person[0]] == group().personOfFace[person[1]])
  }

  /// Somebody who looks enough like the person to be taken for them, but not beside them.
  @Test func whoIsInOnePhotoWithThePersonIsSomebodyElse() throws {
    let typical = person.sorted { likeness($0) > likeness($1) }
    var made = MadePeople(seed: 4)
    let face = (0..<demo.embeddings.columns).map { demo.embeddings.row(typical[0])[$0] }
    let alike = made.relative(of: face, share: 0.4)
    let count = demo.embeddings.rows
    let embeddings = Matrix<Float>(rows: count + 1, columns: alike.count) { base, stride in
      for row in 0...count {
        for column in alike.indices {
          base[row * stride + column] =
            row < count ? demo.embeddings.row(row)[column] : alike[column]
        }
      }
    }
    func people(_ photos: [Int64?]?) throws -> [Int] {
      try groupPeople(
        GroupingInput(
          embeddings: embeddings, clustering: try DemoPeople.fit(embeddings), photos: photos)
      ).personOfFace
    }
    let without = try people(nil)
    #expect(without[count] == without[typical[1]])
    var photos = [Int64?](repeating: nil, count: count + 1)
    photos[typical[1]] = 1
    photos[count] = 1
    let with = try people(photos)
    #expect(with[count] < 0)
    #expect(with[typical[1]] == with[typical[0]] && with[typical[0]] >= 0)
  }

  /// Two photos of the person on one page: both are surely the person.
  @Test func twoFacesOfOnePersonOnOnePageStay() throws {
    var least = (similarity: 2.0, first: 0, second: 0)
    for first in person {
      for second in person where first < second {
        let similarity = demo.embeddings.dotProduct(first, second)
        if similarity < least.similarity { least = (similarity, first, second) }
      }
    }
    var photos = [Int64?](repeating: nil, count: demo.embeddings.rows)
    photos[least.first] = 1
    photos[least.second] = 1
    let people = try group(photos: photos).personOfFace
    #expect(people[least.first] == people[least.second] && people[least.first] >= 0)
  }

  /// How alike a face is to the person's.
  private func likeness(_ face: Int) -> Double {
    person.reduce(0) { $0 + demo.embeddings.dotProduct(face, $1) }
  }
}
