internal import Glibc

/// What "similar" means in one collection under one embedding model, found without labels.
///
/// Models differ: two photos of one person are at a cosine similarity of 0.7 under one and of 0.95
/// under another whose strangers are at 0.84. So every similarity s is expressed in *impostor units*,
/// z = (s − m) / σ, with m and σ the mean and the standard deviation of the similarity of different
/// people. An affine map of all similarities changes no z and hence no decision.
///
/// The threshold is where the log-likelihood ratio of "same person" to "different people" equals
/// the prior odds, for two normal distributions of one width whose means are μ apart:
/// z₀ = μ/2 + H/μ − 1.3. H, the entropy of who a face belongs to, is the logarithm of the
/// effective number of people: the more people, the more chances for a stranger to look alike. The
/// constant is measured: what is left to decide are the photos of a person that are *least*
/// alike, and μ is an average over all of them. docs/people.md shows the fit.
public struct SimilarityCalibration: Sendable, Equatable, Codable {
  /// Mean cosine similarity of faces of different people, m.
  public var impostorMean: Double
  /// Standard deviation of that similarity, σ; above 0.
  public var impostorDeviation: Double
  /// How far the mean similarity within people lies above m, in units of σ: μ.
  public var separation: Double
  /// Entropy of the distribution of faces over people, in nats: H.
  public var entropy: Double
  /// Pairs of faces behind m and σ; 0 where they are a prior.
  public var impostorPairs: Int
  /// How far what humans said moved the threshold, in units of σ; 0 where it said the same.
  public var humanShift = 0.0

  enum CodingKeys: String, CodingKey {
    case impostorMean = "impostor_mean"
    case impostorDeviation = "impostor_deviation"
    case separation, entropy
    case impostorPairs = "impostor_pairs"
    case humanShift = "human_shift"
  }

  /// Makes a calibration from its parts.
  public init(
    impostorMean: Double, impostorDeviation: Double, separation: Double, entropy: Double,
    impostorPairs: Int
  ) {
    self.impostorMean = impostorMean
    self.impostorDeviation = impostorDeviation
    self.separation = separation
    self.entropy = entropy
    self.impostorPairs = impostorPairs
  }

  /// Reads a stored calibration; an older one knows nothing of humans, and that of copies alone has no spread.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    impostorMean = try values.decode(Double.self, forKey: .impostorMean)
    impostorDeviation = try values.decode(Double.self, forKey: .impostorDeviation)
    separation = try values.decode(Double.self, forKey: .separation)
    entropy = try values.decode(Double.self, forKey: .entropy)
    impostorPairs = try values.decode(Int.self, forKey: .impostorPairs)
    humanShift = try values.decodeIfPresent(Double.self, forKey: .humanShift) ?? 0
    if !(impostorDeviation > 0) {
      let below = FirstImpostorEstimate.belowOnePerson(mean: 1)
      (impostorMean, impostorDeviation, impostorPairs) = (below.mean, below.deviation, below.pairs)
      separation = Self.prior.separation
    }
  }

  /// What SFace, ArcFace and FaceNet vectors look like; for a collection that says nothing.
  public static let prior = SimilarityCalibration(
    impostorMean: 0.06, impostorDeviation: 0.09, separation: 6, entropy: 3, impostorPairs: 0)

  /// Impostor units from which a group is sure in any collection.
  static let sure = 4.5
  static let thresholdShift = 1.3
  static let sizePenalty = 1.7
  /// Evidence beyond the threshold that a new face, or a person suggested for another, needs.
  public static let assignmentMargin = 0.3
  static let relativeMargin = 0.3

  /// Evidence beyond the threshold that a group needs to join somebody whom a human knows.
  public static let knownPersonMargin = 0.6

  /// People of equal size that would be as hard to tell apart: the exponential of the entropy.
  public var effectivePeople: Double { exp(entropy) }

  /// Evidence, in impostor units, from which two groups are one person: z₀, and what humans moved it by.
  public var threshold: Double {
    Self.threshold(separation: separation, entropy: entropy) + humanShift
  }

  static func threshold(separation: Double, entropy: Double) -> Double {
    let mu = max(separation, 2.5)
    return mu / 2 + entropy / mu - thresholdShift
  }

  /// Evidence that two groups of faces are one person: their mean cross-similarity in impostor
  /// units, less 1.7/√(weight · weight).
  ///
  /// The mean over few pairs is uncertain, and there are many single faces that could look alike by
  /// chance, so they need more than groups do.
  ///
  /// - Parameters:
  ///   - meanSimilarity: mean cosine similarity of a face of the one and a face of the other.
  ///   - weight: faces of the one; at least 1. Frames of a shot are one together.
  ///   - otherWeight: of the other.
  public func evidence(
    meanSimilarity: Double, weight: Double, otherWeight: Double
  ) -> Double {
    evidence(
      meanSimilarity: meanSimilarity, weight: weight * otherWeight, sizePenalty: Self.sizePenalty)
  }

  /// The same of two groups whose weights together are known, with another prior on merging.
  ///
  /// - Parameter weight: of the pair, see ``weight(of:with:)``.
  func evidence(meanSimilarity: Double, weight: Double, sizePenalty: Double) -> Double {
    (meanSimilarity - impostorMean) / impostorDeviation - sizePenalty / weight.squareRoot()
  }

  /// The prior on merging where this share of the people has one photo only, 0…1.
  ///
  /// Where nearly nobody is alone, a face that still is so belongs to somebody. At a share of 0.78 it is
  /// the prior that holds where nothing is known.
  static func sizePenalty(aloneShare share: Double) -> Double { 1 + 0.9 * share }

  /// How many faces a group counts for: the geometric mean of its faces and its votes, where all
  /// near-identical faces of a burst have one vote together.
  ///
  /// Fifty frames are no fifty photos; but a stranger who is there fifty times is rarer than one who
  /// is there once, so they are not one photo either.
  static func weight(faces: Int, votes: Double) -> Double {
    (Double(faces) * votes).squareRoot()
  }

  /// How many pairs of faces two groups count for: their votes, times the root of how many frames a vote of
  /// theirs has, of which the group with fewer says how many.
  ///
  /// Two shots of fifty frames are rarer than two photos. But to somebody who is there once it makes no
  /// difference how long the other's shots are: a shot is one photo then.
  static func weight(
    of group: (faces: Int, votes: Double), with other: (faces: Int, votes: Double)
  ) -> Double {
    // A part of a shot that humans took apart is a face like any other.
    let (votes, others) = (max(group.votes, 1), max(other.votes, 1))
    let frames = min(Double(group.faces) / votes, Double(other.faces) / others)
    // Most groups hold no shot.
    return frames <= 1 ? votes * others : votes * others * frames.squareRoot()
  }

  /// What a single face needs beyond the threshold, in impostor units, to join a group.
  public static func penalty(weight: Double) -> Double { sizePenalty / weight.squareRoot() }

  /// The calibration by which faces that come later are decided: some of them are strangers to everybody here.
  ///
  /// A grouping knows all faces that it groups. A new face may be anybody, so at least as many people as
  /// ``prior`` says compete for it. And a few people say little about how alike strangers are to them: of two
  /// people the mean similarity varies by about 0.7 σ, so that of the pairs of E people by σ/√(E(E − 1)), and
  /// by so much strangers are taken to be more alike. Of one person alone nothing is known of strangers, and
  /// ``impostorMean`` is what kept the photos of that person together; but under no model are strangers less
  /// alike than in ``prior``, but for chance.
  public var forArrivals: SimilarityCalibration {
    var result = self
    if impostorPairs == 0 {
      let mean = max(impostorMean, Self.prior.impostorMean)
      result.impostorDeviation = impostorDeviation * (1 - mean) / (1 - impostorMean)
      result.impostorMean = mean
    } else {
      let pairs = effectivePeople * (effectivePeople - 1)
      result.impostorMean += impostorDeviation / max(pairs, 1).squareRoot()
    }
    result.separation = max(
      (similarity(separation) - result.impostorMean) / result.impostorDeviation, 0)
    result.entropy = max(entropy, Self.prior.entropy)
    return result
  }

  /// Evidence that a new face needs to be given to a person automatically.
  public var assignmentGate: Double { threshold + Self.assignmentMargin }

  /// Evidence by which the best person must beat the second best.
  public var assignmentMargin: Double { Self.relativeMargin }

  /// The mean cosine similarity that corresponds to a value in impostor units.
  public func similarity(_ units: Double) -> Double {
    impostorMean + units * impostorDeviation
  }

  /// Mean cosine similarity from which two large groups are one person.
  public var thresholdSimilarity: Double { similarity(threshold) }
}
