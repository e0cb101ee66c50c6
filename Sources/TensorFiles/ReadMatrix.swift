/// Reads an n × d matrix from a file, whose kind is told by its extension.
///
/// | extension | what is read |
/// | --- | --- |
/// | `.npy` | the array |
/// | `.npz` | the array `embeddings`, or the only one |
/// | `.safetensors` | the tensor `embeddings`, or the only one |
/// | `.csv` | rows of numbers, with or without a header |
///
/// Numbers that are not finite are handed on as they are: whoever uses the rows decides about them.
///
/// - Parameters:
///   - path: the file.
///   - limit: most bytes that the matrix may take in memory.
/// - Throws: `TensorFileError`.
/// - Complexity: O(n · d).
public func readMatrix(
  path: String, limit: Int = ReadLimit.physicalMemory
) throws -> LoadedMatrix {
  switch fileExtension(of: path) {
  case "npy": return try NumpyFile(path: path, limit: limit).array.matrix()
  case "npz":
    let file = try NumpyArchive(path: path, limit: limit)
    return try embeddings(of: path, among: file.arrays, noun: "array").matrix()
  case "safetensors":
    let file = try SafetensorsFile(path: path, limit: limit)
    return try embeddings(of: path, among: file.arrays, noun: "tensor").matrix()
  case "csv": return .float64(try readNumberTable(path: path, limit: limit))
  case let other:
    throw TensorFileError(
      path: path,
      what: other.isEmpty ? "has no extension" : "has the unknown extension .\(other)",
      advice: "give a .npy, .npz, .safetensors or .csv file")
  }
}

/// The extension of a path in lower case without the dot, empty where there is none.
public func fileExtension(of path: String) -> String {
  let name = path.split(separator: "/").last ?? ""
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
  return singleLine(name[name.index(after: dot)...].lowercased(), limit: 20)
}

private func embeddings(
  of path: String, among arrays: [StoredArray], noun: String
) throws -> StoredArray {
  if let named = arrays.first(where: { $0.name == "embeddings" }) { return named }
  if let only = arrays.first, arrays.count == 1 { return only }
  let names = arrays.prefix(10).map { singleLine($0.name) }.joined(separator: ", ")
  throw TensorFileError(
    path: path,
    what: "has no \(noun) embeddings"
      + (arrays.isEmpty ? " and no other" : " but \(names)\(arrays.count > 10 ? ", …" : "")"),
    advice: "name the \(noun) of vectors embeddings")
}
