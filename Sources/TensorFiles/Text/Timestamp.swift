/// Seconds since 1970-01-01T00:00:00Z of an ISO 8601 date and time, or nil where it is none.
///
/// `2024-05-31`, `2024-05-31T18:04`, `2024-05-31 18:04:09.25+02:00`; without a zone it is UTC.
func unixSeconds(ofISO8601 text: String) -> Double? {
  var scanner = TimestampScanner(text)
  guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2),
    scanner.take("-"), let day = scanner.digits(2), (1...12).contains(month), year > 0,
    day >= 1, day <= daysInMonth(month, year: year)
  else { return nil }
  var seconds = Double(daysSince1970(year: year, month: month, day: day)) * 86_400
  if scanner.isAtEnd { return seconds }
  guard scanner.take("T") || scanner.take("t") || scanner.take(" "),
    let hour = scanner.digits(2), hour < 24, scanner.take(":"),
    let minute = scanner.digits(2), minute < 60
  else { return nil }
  seconds += Double(hour * 3600 + minute * 60)
  if scanner.take(":") {
    // 60 is a leap second.
    guard let second = scanner.digits(2), second <= 60 else { return nil }
    seconds += Double(second)
    if scanner.take(".") {
      guard let fraction = scanner.fraction() else { return nil }
      seconds += fraction
    }
  }
  guard let zone = scanner.zoneSeconds(), scanner.isAtEnd else { return nil }
  return seconds - Double(zone)
}

private struct TimestampScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func digits(_ count: Int) -> Int? {
    guard position + count <= bytes.count else { return nil }
    var number = 0
    for byte in bytes[position..<position + count] {
      guard byte &- 48 < 10 else { return nil }
      number = number * 10 + Int(byte - 48)
    }
    position += count
    return number
  }

  /// The digits after a decimal point, as a number below 1.
  mutating func fraction() -> Double? {
    let start = position
    while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
    guard position > start else { return nil }
    return Double("0." + String(decoding: bytes[start..<position], as: UTF8.self))
  }

  /// Seconds east of Greenwich; 0 for `Z` and where nothing stands.
  mutating func zoneSeconds() -> Int? {
    if isAtEnd || take("Z") || take("z") { return 0 }
    let sign = take("+") ? 1 : take("-") ? -1 : 0
    guard sign != 0, let hours = digits(2), hours < 24 else { return nil }
    if isAtEnd { return sign * hours * 3600 }
    _ = take(":")
    guard let minutes = digits(2), minutes < 60 else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}

private func daysInMonth(_ month: Int, year: Int) -> Int {
  let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
  return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
}

/// Days of the Gregorian calendar, counted from March so that the leap day ends the year.
private func daysSince1970(year: Int, month: Int, day: Int) -> Int {
  let shifted = month <= 2 ? year - 1 : year
  let monthFromMarch = (month + 9) % 12
  let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
  return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
}
