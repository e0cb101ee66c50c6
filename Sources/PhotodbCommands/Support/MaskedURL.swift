/// The text of a database URL with every password replaced by `***`.
///
/// Reads URLs (`postgresql://user:password@host/name?password=…`) and keyword strings
/// (`host=… password='…'`) as libpq does. What it would not read, or what holds signs that have no
/// place there, may be a password anywhere: of that nothing is shown but the scheme.
func maskedDatabaseURL(_ text: String) -> String {
  for scheme in ["postgresql://", "postgres://"] where text.hasPrefix(scheme) {
    return scheme + (maskedURL(text.dropFirst(scheme.count)) ?? "***")
  }
  return maskedKeywords(text) ?? "***"
}

/// What follows the scheme; nil where a part of a password could be in it.
private func maskedURL(_ text: Substring) -> String? {
  var masked = ""
  var target = text
  if let at = text.firstIndex(of: "@") {
    let credentials = text[..<at]
    let user = credentials.prefix { $0 != ":" }
    // libpq takes a "?" for a part of the password here; with a "=" it may be meant for the query.
    let isQuery = credentials.contains("?") && credentials.contains("=")
    guard isPlain(user), !credentials.contains("/"), !isQuery else { return nil }
    masked = user + (user.endIndex == at ? "@" : ":***@")
    target = text[text.index(after: at)...]
  }
  let place = target.prefix { $0 != "?" }
  let hosts = place.prefix { $0 != "/" }
  guard hosts.split(separator: ",").allSatisfy(isHost), isPlain(place.dropFirst(hosts.count + 1))
  else { return nil }
  masked += place
  guard place.endIndex != target.endIndex else { return masked }
  var parameters: [String] = []
  for parameter in target[place.endIndex...].dropFirst().split(separator: "&") {
    let name = parameter.prefix { $0 != "=" }
    guard let shown = shown(name, parameter.dropFirst(name.count + 1)) else { return nil }
    parameters.append(shown)
  }
  return masked + "?" + parameters.joined(separator: "&")
}

/// `host=a password=secret` → `host=a password=***`; nil where libpq would read it otherwise.
private func maskedKeywords(_ text: String) -> String? {
  var rest = Substring(text).drop(while: isBlank)
  var words: [String] = []
  while !rest.isEmpty {
    let name = rest.prefix { $0 != "=" && !isBlank($0) }
    rest = rest.dropFirst(name.count).drop(while: isBlank)
    guard rest.popFirst() == "=" else { return nil }
    rest = rest.drop(while: isBlank)
    guard let value = takeValue(&rest), let shown = shown(name, value) else { return nil }
    words.append(shown)
    rest = rest.drop(while: isBlank)
  }
  return words.joined(separator: " ")
}

/// A value up to a blank, or in quotes; nil where the quotes do not end it.
private func takeValue(_ rest: inout Substring) -> Substring? {
  let whole = rest
  let isQuoted = rest.first == "'"
  if isQuoted { rest.removeFirst() }
  while let character = rest.first, isQuoted ? character != "'" : !isBlank(character) {
    rest.removeFirst()
    if character == "\\" { _ = rest.popFirst() }
  }
  if isQuoted {
    guard rest.popFirst() != nil, rest.first.map(isBlank) ?? true else { return nil }
  }
  return whole[..<rest.startIndex]
}

/// A parameter as it is shown; nil where libpq has none of this name.
private func shown(_ name: Substring, _ value: Substring) -> String? {
  if ["password", "sslpassword", "passfile"].contains(name.lowercased()) { return "\(name)=***" }
  guard plainKeywords.contains(name) else { return nil }
  return isPlain(value) ? "\(name)=\(value)" : "\(name)=***"
}

private let plainKeywords: Set<Substring> = [
  "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
  "gssencmode",
  "host", "hostaddr", "keepalives", "keepalives_idle", "load_balance_hosts", "options", "port",
  "service", "ssl", "sslcert", "sslkey", "sslmode", "sslrootcert", "target_session_attrs", "user",
]

/// Whether a text holds only what names, paths and numbers are made of.
private func isPlain(_ text: Substring) -> Bool {
  text.allSatisfy { $0.isLetter || $0.isNumber || "._-~+%/,:'".contains($0) }
}

/// `name`, `name:5432` or `[::1]:5432`; what else follows a colon is no port.
private func isHost(_ text: Substring) -> Bool {
  let name = text.first == "[" ? text.prefix { $0 != "]" }.dropFirst() : text.prefix { $0 != ":" }
  let port = text.first == "[" ? text.dropFirst(name.count + 2) : text.dropFirst(name.count)
  guard isPlain(name), port.isEmpty || port.first == ":" else { return false }
  return port.dropFirst().allSatisfy { ("0"..."9").contains($0) }
}

private func isBlank(_ character: Character) -> Bool {
  character.isASCII && character.isWhitespace
}
