import Testing

@testable import TensorFiles

@Suite("matrices by extension")
struct ReadMatrixTests {
  @Test(
    "every kind of file gives the same matrix",
    arguments: [
      "float32.npy", "float64.npy", "stored.npz", "deflated.npz", "python.safetensors",
      "plain.csv", "header.csv",
    ])
  func kinds(name: String) throws {
    #expect(try rows(readMatrix(path: fixture(name))) == fixtureRows(5, 3))
  }

  @Test("the only array of a file need not be named embeddings")
  func only() throws {
    #expect(try rows(readMatrix(path: fixture("only.npz"))) == fixtureRows(40, 8))
    let text = refusal { _ = try readMatrix(path: fixture("ambiguous.npz")) }
    #expect(
      text.hasSuffix("has no array embeddings but a, b; name the array of vectors embeddings"))
  }

  @Test("other extensions, folders and missing files are refused")
  func refused() throws {
    #expect(refusal { _ = try readMatrix(path: "/no/x.bin") }.contains("extension .bin"))
    #expect(refusal { _ = try readMatrix(path: "/no.npy/x") }.contains("has no extension"))
    #expect(refusal { _ = try readMatrix(path: "/no/x.npy") }.contains("No such file"))
    try withFolder { folder in
      let path = folder + "/empty.NPY"
      try write("", to: path)
      #expect(refusal { _ = try readMatrix(path: path) }.contains("does not start like"))
      #expect(refusal { _ = try readMatrix(path: folder + "/.npy") }.contains("no extension"))
      #expect(refusal { _ = try ByteSource(path: folder) }.contains("not a regular file"))
    }
    #expect(refusal { _ = try ByteSource(path: "/dev/zero") }.contains("not a regular file"))
  }

  @Test("the wrong extension for the content is refused with the reason")
  func wrongExtension() throws {
    try withFolder { folder in
      for (name, target) in [
        ("float32.npy", "a.safetensors"), ("float32.npy", "a.npz"), ("float32.npy", "a.csv"),
        ("python.safetensors", "b.npy"), ("python.safetensors", "b.npz"), ("plain.csv", "c.npy"),
        ("stored.npz", "d.safetensors"), ("stored.npz", "d.npy"), ("plain.csv", "c.safetensors"),
      ] {
        let path = "\(folder)/\(target)"
        try AtomicFile.write(fixtureBytes(name), to: path)
        #expect(refusal { _ = try readMatrix(path: path) }.hasPrefix(path + ": "))
      }
    }
  }

  @Test("an error is one line whatever the names hold")
  func oneLine() {
    let error = TensorFileError(
      path: "a\nb", what: "x\u{1B}[2J\r\n", location: "tensor \u{2028}", advice: "y")
    #expect(error.description == #"a\nb: tensor \u{2028}: x\u{1B}[2J\r\n; y"#)
  }
}
