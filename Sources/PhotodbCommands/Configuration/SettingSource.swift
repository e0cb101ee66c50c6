/// Where the value of a setting came from, weakest first.
enum SettingSource: Sendable, Equatable, CustomStringConvertible {
  /// Built into the program.
  case standard
  /// A settings file, with its path.
  case file(String)
  /// An environment variable, with its name.
  case environment(String)
  /// A flag of this call, as it is written.
  case flag(String)

  /// The source as people read it: `default`, `file photodb.yaml`, `environment`, `--set`.
  var description: String {
    switch self {
    case .standard: "default"
    case .file(let path): "file \(path)"
    case .environment: "environment"
    case .flag(let flag): flag
    }
  }

  /// The place to mend a value, for error texts.
  func place(of name: String) -> String {
    switch self {
    case .standard: "the default of \(name)"
    case .file(let path): "\(path): \(name.lowercased())"
    case .environment(let variable): "environment variable \(variable)"
    case .flag(let flag): "\(flag) \(name)"
    }
  }
}
