import Testing
import Vectors

@testable import TensorFiles

@Suite("safetensors files")
struct SafetensorsTests {
  @Test("a file of the Python package is read in full")
  func pythonFile() throws {
    let file = try SafetensorsFile(path: fixture("python.safetensors"))
    #expect(file.metadata == ["made by": #"Python, "quoted" \ é"#])
    #expect(try rows(file.matrix("embeddings")) == fixtureRows(5, 3))
    #expect(try rows(file.matrix("wide")) == fixtureRows(2, 4))
    #expect(try rows(file.matrix("half")) == fixtureRows(3, 2))
    #expect(try file.int64s("photo") == [7, -1, 1 << 40, 0, 3])
    #expect(try file.integers("small") == [-5, 5])
    #expect(try file.bytes("bytes") == [0, 127, 255])
    #expect(try file.integers("flags") == [1, 0, 1])
    #expect(try file.doubles("scalar") == [2.5])
    #expect(try file.required("scalar").shape == [])
    #expect(try file.matrix("empty").rows == 0)
    #expect(try file.matrix("empty").columns == 3)
  }

  @Test("half precision is read as single precision, doubles as doubles")
  func precision() throws {
    let file = try SafetensorsFile(path: fixture("python.safetensors"))
    guard case .float32 = try file.matrix("half"), case .float64 = try file.matrix("wide") else {
      Issue.record("the precision of a matrix is not that of its file")
      return
    }
    let brain = try SafetensorsFile(path: fixture("bfloat16.safetensors"))
    #expect(try rows(brain.matrix("embeddings")) == fixtureRows(3, 2))
  }

  @Test("the same content gives the bytes that the Python package writes")
  func identicalToPython() throws {
    let bytes = try fixtureBytes("python.safetensors")
    let file = try SafetensorsFile(bytes: bytes)
    var content = SafetensorsContent(metadata: file.metadata)
    for array in file.arrays {
      content.tensors[array.name] = Tensor(
        elementType: array.elementType, shape: array.shape, bytes: try array.bytes())
    }
    #expect(try content.encode() == bytes)
  }

  @Test("what was written is read back, through memory and through a file")
  func roundTrip() throws {
    let vectors = Matrix<Float>([[1, -0.0, .infinity], [.nan, .leastNonzeroMagnitude, 3.4e38]])
    let distances = Matrix<Double>([[0, .leastNonzeroMagnitude], [.infinity, 0]])
    let content = SafetensorsContent(
      tensors: [
        "vectors": Tensor(vectors), "distances": Tensor(distances),
        "labels": Tensor([-1, 0, .max, .min]), "lambdas": Tensor([1.5, .infinity]),
        "edges": Tensor([0.0, 1, 0.25, 1, 2, 0.5], shape: [2, 3]),
        "small": Tensor([Int32.min, .max]), "flags": Tensor([true, false]),
        "name \"\n\u{1}é": Tensor([UInt8](0...255)), "none": Tensor([Double]()),
        "floats": Tensor([Float(0.1)]), "wide": Tensor([Int64(3)], shape: [1, 1, 1]),
      ],
      metadata: ["b": "2", "a": "tab\t quote\" é \u{1F600}", "": ""])
    let bytes = try content.encode()
    try withFolder { folder in
      let path = folder + "/round.safetensors"
      try content.write(to: path)
      for file in [try SafetensorsFile(bytes: bytes), try SafetensorsFile(path: path)] {
        #expect(file.metadata == content.metadata)
        #expect(Set(file.arrays.map(\.name)) == Set(content.tensors.keys))
        let readVectors = try file.matrix("vectors").singlePrecision
        for row in 0..<2 {
          #expect(
            readVectors.values(ofRow: row).map(\.bitPattern)
              == vectors.values(ofRow: row).map(\.bitPattern))
        }
        #expect(try rows(file.matrix("distances")) == rows(.float64(distances)))
        #expect(try file.integers("labels") == [-1, 0, .max, .min])
        #expect(try file.doubles("lambdas") == [1.5, .infinity])
        #expect(try file.required("edges").shape == [2, 3])
        #expect(try file.doubles("edges") == [0, 1, 0.25, 1, 2, 0.5])
        #expect(try file.integers("small") == [Int(Int32.min), Int(Int32.max)])
        #expect(try file.bytes("name \"\n\u{1}é") == [UInt8](0...255))
        #expect(try file.doubles("none").isEmpty)
        #expect(try file.floats("floats") == [0.1])
        #expect(try file.required("wide").shape == [1, 1, 1])
      }
      #expect(try AtomicFileTests.content(of: path) == bytes)
    }
  }

  @Test("the data is aligned to eight bytes and the same content gives the same bytes")
  func layout() throws {
    var content = SafetensorsContent()
    for length in 0..<20 {
      content.metadata["key"] = String(repeating: "x", count: length)
      content.tensors = ["a": Tensor([UInt8(1)]), "b": Tensor([2.0])]
      let bytes = try content.encode()
      #expect(littleEndian(UInt64.self, in: bytes, at: 0) % 8 == 0)
      #expect(try content.encode() == bytes)
      #expect(try SafetensorsFile(bytes: bytes).doubles("b") == [2])
    }
    #expect(try SafetensorsFile(bytes: SafetensorsContent().encode()).arrays.isEmpty)
  }

  @Test("a matrix larger than one piece is read in order")
  func manyPieces() throws {
    let source = Matrix<Float>(rows: 3001, columns: 131) { storage, stride in
      for row in 0..<3001 {
        for column in 0..<131 { storage[row * stride + column] = Float(row * 131 + column) }
      }
    }
    let bytes = try SafetensorsContent(tensors: ["m": Tensor(source)]).encode()
    let read = try SafetensorsFile(bytes: bytes).matrix("m").singlePrecision
    #expect((0..<3001).allSatisfy { read.values(ofRow: $0) == source.values(ofRow: $0) })
    // Columns beyond the last are zero: kernels read them.
    #expect((131..<read.stride).allSatisfy { read.row(7)[$0] == 0 })
  }

  @Test("a missing tensor and a wrong type are named")
  func wrongUse() throws {
    let file = try SafetensorsFile(path: fixture("python.safetensors"))
    #expect(
      refusal { _ = try file.doubles("x") }.hasSuffix("has no tensor x; give a file that has one"))
    #expect(refusal { _ = try file.integers("wide") }.contains("tensor wide: is of type F64"))
    #expect(refusal { _ = try file.floats("photo") }.contains("tensor photo: is of type I64"))
    #expect(throws: Never.self) { try file.floats("wide") }
    #expect(refusal { _ = try file.matrix("photo") }.contains("tensor photo: is of type I64"))
    #expect(refusal { _ = try file.matrix("scalar") }.contains("has 0 dimensions, not 2"))
  }
}
