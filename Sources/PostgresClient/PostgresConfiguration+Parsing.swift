internal import CLibpq

extension PostgresConfiguration {
  /// Splits the string with libpq's own parser.
  static func parse(_ text: String) throws -> [String: String] {
    guard let parsed = PQconninfoParse(text, nil) else {
      // libpq's own message quotes the part that it cannot read, which may be the password.
      throw PostgresError(
        .configuration,
        "the database URL cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
          + " with special characters percent-encoded, or host=… dbname=…")
    }
    defer { PQconninfoFree(parsed) }
    var found: [String: String] = [:]
    var option = parsed
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    let ports = (found["port"] ?? "").split(separator: ",")
    guard ports.allSatisfy({ UInt16($0) != nil }) else {
      // A password with a slash ends up here; so the value is not repeated.
      throw PostgresError(
        .configuration,
        "the port in the database URL is not a number; is a \"/\" in the password not written %2F?")
    }
    return found
  }

  /// What is wrong with a URL in a way that would make libpq take a piece of the password for the
  /// host or the database, and print it; `nil` if nothing.
  static func complaint(aboutURL text: String) -> String? {
    let schemes = ["postgresql://", "postgres://"]
    guard let scheme = schemes.first(where: { text.hasPrefix($0) }) else {
      return text.contains("://")
        ? "the database URL must begin with postgresql:// or postgres://" : nil
    }
    let rest = text.dropFirst(scheme.count)
    // libpq ends the user at the first "@" before any "/", and takes a "?" before it for its part.
    let user = rest.prefix { $0 != "/" }.firstIndex(of: "@") ?? rest.startIndex
    let beforeQuery = rest[..<(rest[user...].firstIndex(of: "?") ?? rest.endIndex)]
    let signs = beforeQuery.count { $0 == "@" }
    let authority = beforeQuery.prefix { $0 != "/" }
    if signs > 1 || (signs == 1 && !authority.contains("@")) {
      return "the database URL has an \"@\" or \"/\" in its user or password;"
        + " write \"@\" as %40 and \"/\" as %2F"
    }
    return nil
  }
}
