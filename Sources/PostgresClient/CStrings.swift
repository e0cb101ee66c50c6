internal import Glibc

/// Calls `body` with a null-terminated array of C strings, valid during the call.
func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  var pointers: [UnsafePointer<CChar>?] = strings.map { UnsafePointer(strdup($0)) }
  pointers.append(nil)
  defer {
    for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) }
  }
  return pointers.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else {
      preconditionFailure("an array with at least the terminator has an address")
    }
    return body(base)
  }
}
