extension StoredModel {
  /// What the header of a safetensors file says beside its tensors.
  private struct Header: Decodable {
    var metadata: [String: String]

    enum CodingKeys: String, CodingKey {
      case metadata = "__metadata__"
    }
  }

  /// Whether a blob, known to be as some program wrote it, is a model of the format that this one reads.
  ///
  /// - Parameter head: its first bytes, with all of its header: a length of 64 bits and so much JSON.
  static func isOfThisFormat(head: [UInt8]) -> Bool {
    guard head.count > 8 else { return false }
    let length = head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(head.count - 8) else { return false }
    let text = String(decoding: head[8..<8 + Int(length)], as: UTF8.self)
    guard let metadata = try? JSONText.decode(Header.self, from: text).metadata else {
      return false
    }
    return metadata["kind"] == kind && metadata["format"] == "\(format)"
  }
}
