internal import Foundation

/// Numbers as people read them.
enum Formatting {
  /// Seconds with the precision that fits: `42 ms`, `3.21 s`, `2:05 min`, `1:02:03 h`.
  static func seconds(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
    if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
    if seconds < 59.995 { return decimal(seconds, places: 2) + " s" }
    let whole = Int(seconds.rounded())
    let (minutes, rest) = (whole / 60 % 60, twoDigits(whole % 60))
    return whole < 3600
      ? "\(minutes):\(rest) min" : "\(whole / 3600):\(twoDigits(minutes)):\(rest) h"
  }

  /// Bytes in binary units: `512 B`, `3.4 MiB`.
  static func bytes(_ bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(bytes) B" : "\(decimal(value, places: 1)) \(units[unit])"
  }

  /// A whole number with thin groups of three: `1,234,567`.
  static func count(_ value: Int) -> String {
    var groups: [String] = []
    var rest = value.magnitude
    while rest >= 1000 {
      groups.append(String(String(rest % 1000 + 1000).dropFirst()))
      rest /= 1000
    }
    groups.append(String(rest))
    return (value < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }

  /// A number with what it counts: `1 face`, `1,234 faces`.
  static func count(_ value: Int, _ noun: String) -> String {
    "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  /// What is to be done about faces that are new again.
  static func undecided(_ faces: Int) -> String {
    "\(count(faces, "face")) to be decided again: run `photodb assign` or a worker"
  }

  /// A share as percent: `12.5 %`.
  static func percent(_ share: Double) -> String { decimal(share * 100, places: 1) + " %" }

  /// A number with a fixed number of places after the point, whatever the locale.
  static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
    return String(format: "%.\(places)f", value)
  }

  /// A text of others without control characters, which terminals obey: they come out as `\u001B`.
  ///
  /// - Parameter lines: whether ends of lines and tabs stay.
  static func printable(_ text: String, lines: Bool = false) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      let isKept = lines && (scalar == "\n" || scalar == "\t")
      if isKept || scalar.properties.generalCategory != .control {
        shown.unicodeScalars.append(scalar)
      } else {
        shown +=
          "\\u00" + (scalar.value < 0x10 ? "0" : "")
          + String(scalar.value, radix: 16, uppercase: true)
      }
    }
    return shown
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
