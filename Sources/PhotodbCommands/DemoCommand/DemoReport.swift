internal import ClusterEvaluation
internal import FaceClustering

/// What the demo found, for people and as JSON.
struct DemoReport: Encodable {
  struct Step: Encodable {
    let name: String
    let seconds: Double
  }

  /// One of the largest people.
  struct Person: Encodable {
    let personId: Int64
    let faces: Int
    /// Identity that most of the faces have, and how many.
    let identity: Int
    let facesOfIdentity: Int
  }

  /// How arrivals that one tier decided fared.
  struct Tier: Encodable {
    let tier: String
    let faces: Int
    /// Faces put to the person that holds most faces of their identity, where that can be said.
    @OrNull var right: Int?
    @OrNull var wrong: Int?
  }

  var steps: [Step] = []
  var collection = ""
  var people = 0
  var largestPeople: [Person] = []
  @OrNull var bootstrap: BootstrapReport?
  var arrivals = 0
  @OrNull var assignment: AssignmentReport?
  var tiers: [Tier] = []
  @OrNull var stalenessBefore: StalenessReport?
  @OrNull var stalenessAfter: StalenessReport?
  @OrNull var pairwise: PrecisionRecall?
  @OrNull var bcubed: PrecisionRecall?
  /// Our people and other methods, all on the faces that the bootstrap was fitted to.
  var comparison: [MethodScores] = []
  @OrNull var dataDirectory: String?
  /// How to call this program on this database, in a shell that stands in the current folder.
  var shellCommand = "photodb"

  /// The summary that the demo ends with.
  var text: String {
    var lines = ["", "people", "  \(Formatting.count(people)) people found"]
    if let bootstrap {
      lines[2] +=
        "; the bootstrap left \(Formatting.count(bootstrap.noiseCount)) of "
        + "\(Formatting.count(bootstrap.embeddingCount)) fitted faces alone; "
        + "\(Formatting.count(bootstrap.filteredCount)) were too small or uncertain for the fit, of which "
        + "\(Formatting.count(bootstrap.filteredPlaced)) joined people all the same"
    }
    var largest = TextTable([
      ("  person", .right), ("faces", .right), ("of one identity", .right),
    ])
    for person in largestPeople {
      largest.append(["\(person.personId)", "\(person.faces)", "\(person.facesOfIdentity)"])
    }
    lines += [largest.text, "", "\(Formatting.count(arrivals)) faces that arrived later"]
    var decided = TextTable([("  decided by", .left), ("faces", .right), ("right", .right)])
    for tier in tiers {
      let share = tier.right.flatMap { right in
        tier.wrong.flatMap { $0 + right > 0 ? Double(right) / Double(right + $0) : nil }
      }
      decided.append([
        "  \(tier.tier)", "\(tier.faces)", share.map(Formatting.percent) ?? "–",
      ])
    }
    lines.append(decided.text)
    lines += ["", "the model", "  before the arrivals: \(sentence(stalenessBefore))"]
    lines += ["  after the arrivals:  \(sentence(stalenessAfter))"]
    if let pairwise, let bcubed {
      lines += ["", "against the known identities"]
      for (name, scores) in [("pairwise", pairwise), ("BCubed  ", bcubed)] {
        lines.append(
          "  \(name)  precision \(Formatting.decimal(scores.precision, places: 3)), recall "
            + "\(Formatting.decimal(scores.recall, places: 3)), F "
            + Formatting.decimal(scores.f, places: 3))
      }
    }
    if let faces = comparison.first?.faces {
      lines.append("")
      lines.append("beside other methods, on the \(Formatting.count(faces)) faces of the bootstrap")
      lines.append(compared)
    }
    lines += ["", "seconds"]
    lines += steps.map { step in
      let name = "  " + step.name + String(repeating: " ", count: max(1, 34 - step.name.count))
      return name + Formatting.seconds(step.seconds)
    }
    lines += ["", next]
    return lines.joined(separator: "\n")
  }

  private var compared: String {
    var table = TextTable([
      ("  ", .left), ("pairwise F", .right), ("BCubed F", .right), ("merges", .right),
      ("removals", .right), ("to place", .right),
    ])
    func count(_ value: Int?) -> String { value.map { Formatting.count($0) } ?? "–" }
    func harmonic(_ scores: PrecisionRecall?) -> String {
      scores.map { Formatting.decimal($0.f, places: 3) } ?? "–"
    }
    for method in comparison {
      table.append([
        "  \(method.title)", harmonic(method.pairwise), harmonic(method.bcubed),
        count(method.mergesNeeded), count(method.facesToRemove), count(method.facesToPlace),
      ])
    }
    return table.text
  }

  private func sentence(_ report: StalenessReport?) -> String {
    guard let report else { return "not checked" }
    let fired = report.signals.filter(\.fired).map { signal in
      "\(signal.name) \(signal.value.map { Formatting.decimal($0, places: 2) } ?? "")"
    }
    return report.status.rawValue + (fired.isEmpty ? "" : " (\(fired.joined(separator: ", ")))")
  }

  private var next: String {
    let person = largestPeople.first?.personId ?? 1
    let steps = [
      ("give someone a name", "person name \(person) Ada --collection \(collection)"),
      ("fit again with the arrivals; the name stays", "re-bootstrap --collection \(collection)"),
      ("every face, and where it belongs", "export assignments --collection \(collection) | head"),
      ("what your own files must hold", "import --help"),
    ]
    var lines = ["try next, in this folder:"]
    for (purpose, words) in steps { lines += ["  # \(purpose)", "  \(shellCommand) \(words)"] }
    if let dataDirectory {
      lines += [
        "  # everything is in \(dataDirectory); stop the server", "  \(shellCommand) db stop",
      ]
    }
    return lines.joined(separator: "\n")
  }
}
