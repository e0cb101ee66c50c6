extension StoredModel {
  /// What the header of a safetensors file says beside its tensors.
  private struct Header: Decodable {
    struct Tensor: Decodable {
      var shape: [Int]
    }

    var metadata: [String: String]
    var selected: Tensor

    enum CodingKeys: String, CodingKey {
      case metadata = "__metadata__"
      case selected = "selected_clusters"
    }
  }

  /// The number of labels of a blob, known to be as some program wrote it; nil where it is no model of
  /// the format that this one reads.
  ///
  /// - Parameter head: its first bytes, with all of its header: a length of 64 bits and so much JSON.
  static func labelCount(head: [UInt8]) -> Int? {
    guard head.count > 8 else { return nil }
    let length = head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(head.count - 8) else { return nil }
    let text = String(decoding: head[8..<8 + Int(length)], as: UTF8.self)
    guard let header = try? JSONText.decode(Header.self, from: text),
      header.metadata["kind"] == kind, header.metadata["format"] == "\(format)",
      let count = header.selected.shape.first, count >= 0
    else { return nil }
    return count
  }
}
