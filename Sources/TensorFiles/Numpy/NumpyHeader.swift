/// The header of a `.npy` array: magic, version, and a Python dictionary of type and shape.
///
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
struct NumpyHeader {
  /// Longer headers than this do not occur for plain numbers.
  static let limit = 1 << 16

  let elements: NumpyElements
  let shape: [Int]
  /// Bytes before the first element.
  let byteCount: Int

  /// Reads and checks the header at the start of a region, and that the elements fill its rest.
  init(_ region: ByteRegion) throws {
    let start = try region.prefix(12)
    let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    guard start.count >= 10, start.starts(with: magic) else {
      throw region.problem("does not start like a NumPy array", advice: "give a .npy array")
    }
    let isWide = start[6] >= 2
    guard (1...3).contains(start[6]), start[7] == 0, !isWide || start.count == 12 else {
      throw region.problem(
        "has the unknown format version \(start[6]).\(start[7])",
        advice: "save it with numpy.save")
    }
    let length =
      isWide
      ? Int(littleEndian(UInt32.self, in: start, at: 8))
      : Int(littleEndian(UInt16.self, in: start, at: 8))
    let lead = isWide ? 12 : 10
    guard length <= Self.limit else {
      throw region.problem(
        "its header claims \(length) bytes", advice: "only plain arrays of numbers are read")
    }
    guard lead + length <= region.count else {
      throw region.problem(
        "its header claims \(length) bytes, but there are \(region.count - lead)",
        advice: "the file is truncated")
    }
    let text = Array(try region.prefix(lead + length)[lead...])
    let fields: NumpyFields
    do {
      fields = try NumpyFields(text)
    } catch let problem as JSONProblem {
      throw region.problem(
        "its header cannot be understood: \(problem.what) (byte \(lead + problem.offset))",
        advice: "save it with numpy.save")
    }
    byteCount = lead + length
    shape = fields.shape
    guard !fields.isFortranOrder else {
      throw region.problem(
        "is in Fortran order", advice: "save numpy.ascontiguousarray(array) instead")
    }
    elements = try NumpyElements(descriptor: fields.descriptor, region: region)
    guard let size = TensorFiles.byteCount(of: shape, size: elements.size) else {
      throw region.problem("has a shape too large for any file", advice: "the file is damaged")
    }
    let available = region.count - byteCount
    guard size == available else {
      let extents = shape.prefix(8).map(String.init).joined(separator: " × ")
      throw region.problem(
        "\(extents.isEmpty ? "one number" : extents) of \(singleLine(fields.descriptor)) takes "
          + "\(size) bytes, but there are \(available)",
        advice: size > available ? "the file is truncated" : "the file is damaged")
    }
  }
}

/// What the elements of a `.npy` array are.
enum NumpyElements {
  case numbers(ElementType)
  /// Text of `length` characters, four bytes each where wide (`<U`), else one (`|S`).
  case text(length: Int, isWide: Bool)

  /// Bytes of one element.
  var size: Int {
    switch self {
    case .numbers(let type): type.size
    case .text(let length, let isWide): isWide ? length * 4 : length
    }
  }

  init(descriptor: String, region: ByteRegion) throws {
    let quoted = "is of type '\(singleLine(descriptor, limit: 20))'"
    if descriptor.hasPrefix(">") {
      throw region.problem(
        "\(quoted), big endian", advice: "save array.astype(array.dtype.newbyteorder('<'))")
    }
    if descriptor.dropFirst().hasPrefix("O") || descriptor == "O" {
      throw region.problem(
        "\(quoted), Python objects, which are never loaded", advice: "save numbers instead")
    }
    // Types of one byte have no byte order; both spellings occur.
    let bare = descriptor.dropFirst()
    if let type = ElementType.allCases.first(where: {
      $0.numpyDescriptor == descriptor
        || ($0.size == 1 && $0.numpyDescriptor?.dropFirst() == bare && descriptor.hasPrefix("<"))
    }) {
      self = .numbers(type)
    } else if let kind = bare.first, kind == "U" || kind == "S",
      let length = Int(bare.dropFirst()), (1...1 << 20).contains(length)
    {
      self = .text(length: length, isWide: kind == "U")
    } else {
      throw region.problem(
        "\(quoted), which is not supported", advice: "save float32, float64 or whole numbers")
    }
  }
}
