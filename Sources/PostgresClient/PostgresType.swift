/// Object identifiers of built-in types (`pg_type.dat` of PostgreSQL); they never change.
enum PostgresType {
  static let bool: UInt32 = 16
  static let bytea: UInt32 = 17
  static let char: UInt32 = 18
  static let name: UInt32 = 19
  static let int8: UInt32 = 20
  static let int2: UInt32 = 21
  static let int4: UInt32 = 23
  static let text: UInt32 = 25
  static let oid: UInt32 = 26
  static let json: UInt32 = 114
  static let float4: UInt32 = 700
  static let float8: UInt32 = 701
  static let unknown: UInt32 = 705
  static let bpchar: UInt32 = 1042
  static let varchar: UInt32 = 1043
  static let timestamp: UInt32 = 1114
  static let timestamptz: UInt32 = 1184
  static let jsonb: UInt32 = 3802

  static let boolArray: UInt32 = 1000
  static let byteaArray: UInt32 = 1001
  static let int4Array: UInt32 = 1007
  static let textArray: UInt32 = 1009
  static let int8Array: UInt32 = 1016
  static let float4Array: UInt32 = 1021
  static let float8Array: UInt32 = 1022
  static let timestamptzArray: UInt32 = 1185
  static let jsonbArray: UInt32 = 3807

  /// The first identifier that is not built in: enums and other types of the user.
  static let firstOfUser: UInt32 = 16_384

  /// Types whose binary form is their text.
  static func isText(_ type: UInt32) -> Bool {
    switch type {
    case text, varchar, bpchar, name, char, json, unknown: true
    default: type >= firstOfUser
    }
  }
}

/// PostgreSQL counts microseconds from 2000; the rest of the world counts from 1970.
enum PostgresTime {
  private static let secondsFrom1970To2000 = 946_684_800.0

  /// Microseconds since 2000, with the least and greatest number for the infinities.
  static func encode(secondsSince1970 seconds: Double) -> Int64 {
    let microseconds = ((seconds - secondsFrom1970To2000) * 1e6).rounded()
    if microseconds >= 9.2e18 { return .max }
    if microseconds <= -9.2e18 { return .min }
    return microseconds.isNaN ? .max : Int64(microseconds)
  }

  static func decode(_ microseconds: Int64) -> Double {
    switch microseconds {
    case .max: .infinity
    case .min: -.infinity
    default: Double(microseconds) / 1e6 + secondsFrom1970To2000
    }
  }
}
