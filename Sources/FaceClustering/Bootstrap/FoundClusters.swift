internal import HDBSCAN
internal import PersonGrouping

/// The clusters that a bootstrap goes on with: people's, or the plain labels of the fit.
struct FoundClusters: Sendable {
  /// Cluster of each fitted face; −1 for none.
  var labels: [Int]
  /// Whether a face joined its cluster by evidence alone.
  var isAdopted: [Bool]
  /// Cluster of each face that was left out of the fit; −1 for none.
  var leftOutLabels: [Int] = []
  /// Lambda at which each cluster is born.
  var births: [Double]
  var persistences: [Double]
  /// The person that each cluster belongs to; every cluster one of its own where nothing is known.
  var persons: [Int]
  /// Evidence, beyond the threshold, that a cluster is its person.
  var surplus: [Double?]

  var count: Int { births.count }

  /// The labels of a fit.
  init(_ clustering: Clustering) {
    labels = clustering.labels
    isAdopted = [Bool](repeating: false, count: labels.count)
    let births = clustering.tree.clusterBirths
    self.births = clustering.selection.nodes.map { births[$0 - clustering.tree.pointCount] }
    persistences = clustering.selection.persistences
    persons = Array(clustering.selection.nodes.indices)
    surplus = persons.map { _ in nil }
  }

  /// Clusters under people.
  ///
  /// - Parameter fittedCount: how many of the faces were fitted; they come first.
  init(_ people: PeopleGrouping, fittedCount: Int) {
    labels = Array(people.clusterOfFace.prefix(fittedCount))
    isAdopted = Array(people.isAdopted.prefix(fittedCount))
    leftOutLabels = Array(people.clusterOfFace.dropFirst(fittedCount))
    births = people.clusters.map(\.lambdaBirth)
    persistences = people.clusters.map(\.persistence)
    persons = people.clusters.map(\.person)
    surplus = people.clusters.map(\.surplus)
  }
}
