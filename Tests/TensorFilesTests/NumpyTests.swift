import Testing
import Vectors

@testable import TensorFiles

@Suite("npy files")
struct NumpyTests {
  @Test(
    "matrices of NumPy are read in every header version",
    arguments: ["float32.npy", "float64.npy", "float16.npy"])
  func matrices(name: String) throws {
    #expect(try rows(NumpyFile(path: fixture(name)).array.matrix()) == fixtureRows(5, 3))
  }

  @Test("other shapes and types are read as numbers")
  func numbers() throws {
    #expect(try NumpyFile(path: fixture("int64.npy")).array.integers() == [7, -1, 1 << 40])
    #expect(try NumpyFile(path: fixture("scalar.npy")).array.doubles() == [2.5])
    #expect(try NumpyFile(path: fixture("one-dimension.npy")).array.floats() == [0, 1, 2, 3])
  }

  @Test(
    "what cannot be read is refused with the reason and a way out",
    arguments: [
      ("fortran.npy", "Fortran order", "numpy.ascontiguousarray"),
      ("big-endian.npy", "'>f4', big endian", "newbyteorder"),
      ("object.npy", "Python objects", "never loaded"),
      ("structure.npy", "the type is a structure", "numpy.save"),
      ("complex.npy", "'<c16', which is not supported", "save float32"),
      ("text.npy", "holds text", "save float32"),
      ("one-dimension.npy", "has 1 dimension, not 2", "reshape it"),
      ("int64.npy", "is of type I64", "convert it"),
    ])
  func refused(name: String, reason: String, advice: String) {
    let text = refusal { _ = try NumpyFile(path: fixture(name)).array.matrix() }
    #expect(text.contains(reason) && text.contains(advice), "\(text)")
    #expect(text.hasPrefix(fixture(name) + ": "))
  }

  @Test("a file cut at any byte is refused")
  func truncated() throws {
    for name in ["float32.npy", "float64.npy"] {
      let bytes = try fixtureBytes(name)
      for length in 0..<bytes.count {
        _ = refusal { _ = try NumpyFile(bytes: Array(bytes[..<length])) }
      }
      #expect(refusal { _ = try NumpyFile(bytes: bytes + [0]) }.contains("damaged"))
    }
  }

  static let dictionaries: [(text: String, reason: String)] = [
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "takes 24 bytes"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
      "too large for any file"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "an extent is not a whole"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }",
      "an extent is not a whole"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, nan), }", "an extent is not a whole"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", "( was expected"),
    ("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", "True or False"),
    ("{'descr': '<f4', 'fortran_order': False, }", "lacks"),
    ("{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }", "'descr' occurs twice"),
    ("{'descr': '<f4', 'more': False, 'shape': (2,), }", "'more' is not known"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "something follows"),
    ("{'descr': '<f4\\n', 'fortran_order': False, 'shape': (2,), }", "escape"),
    ("{'descr': '<f4", "does not end"),
    ("__import__('os')", "{ was expected"),
    ("", "{ was expected"),
    ("{'descr': '<U99999999999999', 'fortran_order': False, 'shape': (0,), }", "not supported"),
    ("{'descr': '', 'fortran_order': False, 'shape': (2,), }", "not supported"),
  ]

  @Test(
    "a header that says something impossible is refused with the reason", arguments: dictionaries)
  func impossible(text: String, reason: String) {
    let message = refusal { _ = try NumpyFile(bytes: npy(dictionary: text, payload: 5)) }
    #expect(message.contains(reason), "\(message)")
  }

  @Test("an unknown version and a header of gigabytes are refused")
  func versions() {
    let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    let huge = magic + [2, 0, 255, 255, 255, 255]
    #expect(refusal { _ = try NumpyFile(bytes: huge) }.contains("claims 4294967295 bytes"))
    #expect(refusal { _ = try NumpyFile(bytes: magic + [9, 0, 1, 0]) }.contains("version 9.0"))
    #expect(refusal { _ = try NumpyFile(bytes: []) }.contains("does not start like"))
  }

  @Test("the same array gives the bytes that NumPy writes")
  func identicalToNumPy() throws {
    let matrix = Matrix<Float>(fixtureRows(5, 3).map { $0.map(Float.init) })
    #expect(try NumpyFile.encode(Tensor(matrix)) == fixtureBytes("float32.npy"))
    #expect(try NumpyFile.encode(Tensor([7, -1, 1 << 40])) == fixtureBytes("int64.npy"))
    #expect(try NumpyFile.encode(Tensor([2.5], shape: [])) == fixtureBytes("scalar.npy"))
    let brain = Tensor(elementType: .bfloat16, shape: [1], bytes: [0, 0])
    #expect(refusal { _ = try NumpyFile.encode(brain) }.contains("NumPy has no type BF16"))
  }
}
