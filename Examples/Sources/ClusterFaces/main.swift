import HDBSCAN
import Vectors

// In place of a face model: 20, 12 and 6 faces of three people, and four strangers.
var random = RandomNumbers(state: 1)
let people = (0..<3).map { _ in random.vector(128) }
var rows: [[Float]] = []
for (person, count) in zip(people, [20, 12, 6]) {
  rows += random.faces(count, around: person, spread: 0.6)
}
rows += (0..<4).map { _ in random.vector(128) }
let faces = Points.float32(Matrix(rows))

var parameters = Parameters()
parameters.minClusterSize = 3
parameters.minSamples = 2
parameters.metric = .cosine

let deadline = ContinuousClock.now + .seconds(60)
let clustering = try fit(faces, parameters: parameters) { _ in
  // Comes from working threads, often. False ends the fit with `HDBSCANError.cancelled`.
  ContinuousClock.now < deadline
}

for (label, exemplars) in clustering.exemplars.enumerated() {
  let members = clustering.labels.indices.filter { clustering.labels[$0] == label }
  let doubtful = members.filter { clustering.probabilities[$0] < 0.75 }
  print("cluster \(label): \(members.count) faces; best \(exemplars[0]); in doubt \(doubtful)")
}
print("noise: \(clustering.labels.count { $0 < 0 }) faces")

// New faces: one of the second person, and one of nobody known.
let newFaces = Matrix(random.faces(1, around: people[1], spread: 0.6) + [random.vector(128)])
let model = try PredictionModel(points: faces, clustering: clustering)
for prediction in try model.predict(.float32(newFaces)) {
  let percent = (prediction.probability * 100).rounded()
  print("a new face: cluster \(prediction.label), \(percent) %")
}

// Other clusters from the same fit: no distance is computed again.
parameters.minClusterSize = 10
let coarser = try reextract(clustering, parameters: parameters)
print("clusters of ten or more: \(coarser.selection.nodes.count)")
