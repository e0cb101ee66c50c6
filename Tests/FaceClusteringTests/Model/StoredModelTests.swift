import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import FaceClustering

/// The model's bytes: exact, readable by others, and safe to read whatever they are.
@Suite struct StoredModelTests {
  private func model(_ angles: [Double]) throws -> StoredModel {
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 2
    let clustering = try HDBSCAN.fit(
      .float32(Matrix(angles.map(Circle.vector))), parameters: parameters)
    return StoredModel(
      detectionIDs: angles.indices.map { Int64($0) * 3 + 7 }, clustering: clustering)
  }

  private let angles: [Double] =
    [0.0, 90, 180].flatMap { Circle.person(at: $0) as [Double] } + [45, 45, 45, 45, 130]

  @Test func itComesBackAsItWas() throws {
    let model = try model(angles)
    let copy = try StoredModel(bytes: try model.encode())
    #expect(copy.detectionIDs == model.detectionIDs)
    #expect(copy.coreDistances == model.coreDistances)
    #expect(copy.labels == model.labels)
    #expect(copy.probabilities == model.probabilities)
    #expect(copy.tree == model.tree)
    #expect(copy.tree.lambdas.contains(.infinity))
    #expect(copy.selection == model.selection)
    #expect(copy.parameters == model.parameters)
    #expect(copy.spanningTree == model.spanningTree && copy.neighbours == model.neighbours)
    #expect(copy.neighbours != nil && copy.spanningTree.count == angles.count - 1)
    let again = try copy.clustering()
    #expect(again.labels == model.labels && again.neighbours == model.neighbours)
    #expect(try copy.encode() == model.encode())
  }

  @Test func itIsOneSafetensorsFile() throws {
    let file = try SafetensorsFile(bytes: try model(angles).encode(), name: "model")
    #expect(file.metadata["kind"] == "photodb.hdbscan-model")
    #expect(file.metadata["format"] == "1")
    #expect(file.metadata["sha256"]?.count == 64)
    #expect(try file.int64s("detection_ids").count == angles.count)
  }

  @Test func aNewerFormatAndForeignFilesAreRefusedInOneLine() throws {
    var content = SafetensorsContent(tensors: ["x": Tensor([1.0])])
    content.metadata = ["kind": "photodb.hdbscan-model", "format": "2"]
    let newer = #expect(throws: StoredModelError.self) {
      try StoredModel(bytes: try content.encode())
    }
    #expect(
      newer?.description
        == "the stored model is unreadable: its format is 2, this program reads 1; "
        + "`photodb re-bootstrap` makes a new one")
    content.metadata = [:]
    let foreign = #expect(throws: StoredModelError.self) {
      try StoredModel(bytes: try content.encode())
    }
    #expect(try #require(foreign?.description).contains("it is no photodb model"))
  }

  @Test func detectionsOutOfOrderAreRefused() throws {
    // Whoever reads it looks faces up by their ids; two of one id would end the program.
    for ids in [[7, 7], [10, 7]] as [[Int64]] {
      var forged = try model(angles)
      forged.detectionIDs.replaceSubrange(0..<2, with: ids)
      #expect(throws: StoredModelError.self) { try StoredModel(bytes: try forged.encode()) }
    }
  }

  @Test func damageThatForgesItsChecksumIsFoundByItsMeaning() throws {
    // Whoever changes the content and the checksum still cannot make a reader crash.
    let good = try model(angles)
    var random = SplitMix64(state: 77)
    var refused = 0
    for _ in 0..<2_000 {
      var forged = good
      let (parents, children) = (good.tree.parents, good.tree.children)
      var (sizes, lambdas) = (good.tree.sizes, good.tree.lambdas)
      var (newParents, newChildren) = (parents, children)
      let row = Int.random(in: parents.indices, using: &random)
      switch Int.random(in: 0..<7, using: &random) {
      case 0: newParents[row] = Int.random(in: -5...100, using: &random)
      case 1: newChildren[row] = Int.random(in: -5...100, using: &random)
      case 2: sizes[row] = Int.random(in: -5...100, using: &random)
      case 3: lambdas[row] = [.nan, -1, .infinity, 0].randomElement(using: &random) ?? 0
      case 4: forged.selection.nodes = [Int.random(in: -1...60, using: &random)]
      case 5: forged.labels[0] = Int.random(in: -5...10, using: &random)
      default: forged.coreDistances[0] = [.nan, -1].randomElement(using: &random) ?? 0
      }
      forged.tree = CondensedTree(
        pointCount: good.tree.pointCount, parents: newParents, children: newChildren,
        lambdas: lambdas, sizes: sizes)
      do {
        let read = try StoredModel(bytes: try forged.encode())
        let vectors = Matrix<Float>(angles.map(Circle.vector))
        let model = try PredictionModel(
          points: .float32(vectors), coreDistances: read.coreDistances, tree: read.tree,
          selection: read.selection, parameters: read.parameters)
        _ = try model.predict(.float32(vectors), threads: 1)
      } catch {
        refused += 1
        #expect(!"\(error)".contains("\n"))
      }
    }
    #expect(refused > 1_000)
  }
}
