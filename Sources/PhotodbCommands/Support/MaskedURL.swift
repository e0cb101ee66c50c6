/// The text of a database URL with every password replaced by `***`.
///
/// Reads URLs (`postgresql://user:password@host/name?password=…`) and keyword strings
/// (`host=… password='…'`). In doubt it hides too much: an `@` or `/` that belongs to a badly
/// written password counts as part of the password.
func maskedDatabaseURL(_ text: String) -> String {
  guard let scheme = text.firstRange(of: "://") else { return maskedKeywords(text) }
  let rest = text[scheme.upperBound...]
  let path = rest.prefix { $0 != "?" }
  var masked = String(text[..<scheme.upperBound])
  if let at = path.lastIndex(of: "@") {
    let user = path[..<at].prefix { $0 != ":" }
    let hasPassword = user.endIndex != at
    masked += user + (hasPassword ? ":***" : "") + path[at...]
  } else {
    masked += path
  }
  guard path.endIndex != rest.endIndex else { return masked }
  let query = rest[rest.index(after: path.endIndex)...]
  let parameters = query.split(separator: "&", omittingEmptySubsequences: false).map { parameter in
    let name = parameter.prefix { $0 != "=" }
    return name.lowercased().contains("pass") ? "\(name)=***" : String(parameter)
  }
  return masked + "?" + parameters.joined(separator: "&")
}

/// `host=a password=secret` → `host=a password=***`; from the password on, only what is certain
/// to be another keyword is shown.
private func maskedKeywords(_ text: String) -> String {
  var shown: [String] = []
  var isHidden = false
  for word in text.split(whereSeparator: \.isWhitespace) {
    guard let equals = word.firstIndex(of: "=") else {
      if !isHidden { shown.append(String(word)) }
      continue
    }
    let name = word[..<equals]
    isHidden = name.lowercased().contains("pass") || (isHidden && !plainKeywords.contains(name))
    if !isHidden {
      shown.append(String(word))
    } else if name.lowercased().contains("pass") {
      shown.append("\(name)=***")
    }
  }
  return shown.joined(separator: " ")
}

private let plainKeywords: Set<Substring> = ["host", "hostaddr", "port", "dbname", "user"]
