internal import Configuration
internal import Synchronization

/// A value that some source gave, before it is checked.
struct FoundSetting: Sendable, Equatable {
  let text: String
  let source: SettingSource
}

/// Asks flags, environment and file for a setting, strongest first, and remembers who answered.
struct SettingLookup: Sendable {
  private let reader: ConfigReader
  private let witness = LookupWitness()
  private let file: SettingsFile?

  init(flags: [String: String], environment: [String: String], file: SettingsFile?) {
    let flagValues = flags.map { name, value in
      (AbsoluteConfigKey([name.lowercased()]), ConfigValue(.string(value), isSecret: false))
    }
    var providers: [any ConfigProvider] = [
      InMemoryProvider(name: "flags", values: Dictionary(uniqueKeysWithValues: flagValues)),
      EnvironmentVariablesProvider(
        environmentVariables: environment, secretsSpecifier: .specific([DatabaseSetting.name])),
    ]
    if let provider = file?.provider { providers.append(provider) }
    self.file = file
    reader = ConfigReader(providers: providers, accessReporter: witness)
  }

  /// The strongest value of a setting; nil where nobody gave one.
  ///
  /// - Throws: ``CommandFailure`` where the value is a list.
  func value(of name: String) throws -> FoundSetting? {
    let sources: [SettingSource] = [.flag("--set"), .environment(name), .file(file?.path ?? "")]
    guard let text = reader.string(forKey: ConfigKey([name.lowercased()])) else {
      guard witness.lastFailed else { return nil }
      throw CommandFailure(
        "\(sources[witness.lastAnswer].place(of: name)) must be one value", code: 2)
    }
    return FoundSetting(text: text, source: sources[witness.lastAnswer])
  }
}

/// Notes which provider answered the last look-up.
private final class LookupWitness: AccessReporter {
  private struct Last {
    var answer = 0
    var failed = false
  }

  private let last = Mutex(Last())

  /// Position of the provider that answered, in the order in which they are asked.
  var lastAnswer: Int { last.withLock { $0.answer } }
  /// Whether its answer was unusable.
  var lastFailed: Bool { last.withLock { $0.failed } }

  func report(_ event: AccessEvent) {
    // Providers are asked until one answers, so the last result is the answer.
    let failed = event.providerResults.contains { result in
      if case .failure = result.result { true } else { false }
    }
    last.withLock {
      $0 = Last(answer: max(event.providerResults.count - 1, 0), failed: failed)
    }
  }
}
