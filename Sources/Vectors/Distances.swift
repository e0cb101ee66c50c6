internal import Glibc

/// A Euclidean distance between unit vectors, 0…2.
///
/// For unit vectors the cosine distance `c` and the Euclidean distance `e` are the same thing:
/// `c = e²/2`, `e = √(2c)`. These two types are the only place where one becomes the other, so a
/// threshold in one can never be compared with a number in the other.
public struct EuclideanDistance: Sendable, Hashable, Comparable, Codable {
  /// The distance, not negative.
  public var value: Double

  /// A Euclidean distance of this value.
  public init(_ value: Double) { self.value = value }

  /// The Euclidean distance of unit vectors that are this cosine distance apart: e = √(2c).
  ///
  /// A cosine distance that rounding made negative counts as 0.
  public init(_ cosine: CosineDistance) { value = (2 * max(cosine.value, 0)).squareRoot() }

  /// Orders by value.
  public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

  /// Reads the bare number.
  public init(from decoder: any Decoder) throws {
    value = try decoder.singleValueContainer().decode(Double.self)
  }

  /// Writes the bare number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}

/// A cosine distance 1 − cos between vectors, 0…2.
public struct CosineDistance: Sendable, Hashable, Comparable, Codable {
  /// The distance, 0 (same direction) … 2 (opposite).
  public var value: Double

  /// A cosine distance of this value.
  public init(_ value: Double) { self.value = value }

  /// The cosine distance of unit vectors that are this Euclidean distance apart: c = e²/2.
  public init(_ euclidean: EuclideanDistance) { value = euclidean.value * euclidean.value / 2 }

  /// The cosine distance of unit vectors with this squared Euclidean distance.
  public init(squaredEuclidean: Double) { value = squaredEuclidean / 2 }

  /// The squared Euclidean distance of unit vectors that are this far apart.
  public var squaredEuclidean: Double { 2 * value }

  /// Orders by value.
  public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

  /// Reads the bare number.
  public init(from decoder: any Decoder) throws {
    value = try decoder.singleValueContainer().decode(Double.self)
  }

  /// Writes the bare number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}
