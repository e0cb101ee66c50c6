internal import CKernels
internal import Glibc

/// The arithmetic that screens pairs of vectors during a fit; it decides the time, never the result
/// (but which of several edges of one weight are in the spanning tree).
///
/// The environment variable `PHOTODB_KERNEL` names one. Without it the fastest that the processor
/// has is taken. Where bytes are too coarse for the data, a fit uses ``sgemm`` whatever was named.
public enum ScreeningKernel: String, CaseIterable, Sendable {
  /// Float32 matrix products of the system's BLAS.
  case sgemm
  /// Products of bytes in plain C; slow, for comparison.
  case portable
  /// Products of bytes with AVX2.
  case avx2
  /// Products of bytes with AVX-512 VNNI.
  case vnni
  /// Products of bytes with AMX matrix tiles.
  case amx

  /// Whether this processor can run it.
  public var isAvailable: Bool { integerKind.map { kernel_integer_available($0) != 0 } ?? true }

  /// The kernel that a fit uses: the one that `PHOTODB_KERNEL` names, or the fastest there is.
  ///
  /// - Throws: ``HDBSCANError/invalidParameter(name:value:expected:)`` for a name that is unknown
  ///   or that this processor cannot run.
  public static func selected() throws(HDBSCANError) -> ScreeningKernel {
    try named(getenv("PHOTODB_KERNEL").map { String(cString: $0) })
  }

  /// The kernel of a name; nil or an empty name means the fastest there is.
  static func named(_ name: String?) throws(HDBSCANError) -> ScreeningKernel {
    let available = allCases.filter(\.isAvailable)
    guard let name, !name.isEmpty else {
      // Plain C loses to matrix products; of the others, later ones are faster.
      return available.last { $0 != .portable } ?? .sgemm
    }
    if let kernel = available.first(where: { $0.rawValue == name }) { return kernel }
    throw .invalidParameter(
      name: "PHOTODB_KERNEL", value: "\"\(name)\"",
      expected: "one of \(available.map(\.rawValue).joined(separator: ", ")) on this processor")
  }

  /// The integer kernel; nil for float products.
  var integerKind: kernel_integer_kind? {
    switch self {
    case .sgemm: nil
    case .portable: KERNEL_INTEGER_PORTABLE
    case .avx2: KERNEL_INTEGER_AVX2
    case .vnni: KERNEL_INTEGER_VNNI
    case .amx: KERNEL_INTEGER_AMX
    }
  }

  /// Largest share of surviving pairs at which bytes still beat float products.
  ///
  /// A survivor costs about 40 times as much as a float product (an exact distance, in both
  /// passes); what bytes save on every other pair, measured on AMD Zen 4 at d = 512, pays for it:
  /// 2.3 (VNNI) or 7.4 (AVX2) instead of 10 ns. AMX saves at least as much as VNNI.
  var largestSurvivingShare: Double { self == .vnni || self == .amx ? 0.018 : 0.006 }

  /// What a closer look at a pair costs, in products of the same columns.
  ///
  /// 27 ns at d = 512 on AMD Zen 4, where products take 2.3 (VNNI) or 7.4 (AVX2) and, by others' figures, 0.39 (AMX).
  var closerLook: Double {
    switch self {
    case .amx: 70
    case .vnni: 12
    case .sgemm, .portable, .avx2: 5
    }
  }
}
