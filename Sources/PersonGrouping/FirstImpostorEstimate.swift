/// The first guess at the similarity of different people, before any group is known.
///
/// Random pairs are nearly all different people, unless the collection is about one person or two.
/// So the estimate starts at the least similar pairs and grows: take their number as N, read mean
/// and deviation off the quantiles of N pairs, count the pairs up to 2.5 deviations above the
/// mean, and repeat. It stops at the gap between strangers and relatives of oneself, or takes all.
enum FirstImpostorEstimate {
  /// Spread of strangers relative to their distance from identity, σ / (1 − m): about 0.1 in every
  /// model, whatever constant its vectors share.
  static let relativeDeviation = 0.1

  /// Times their usual spread that strangers have at least, in few collections only, and at most.
  private static let (narrowest, wide, widest) = (0.8, 1.5, 1.6)
  /// Strangers are less alike than this on average, photos of one person more, unless a model adds
  /// a constant to all similarities.
  private static let leastOfOnePerson = 0.3
  /// How much more alike than each other, relative to their distance from identity, the parts are of what
  /// is no one person.
  private static let leastApart = 0.2
  /// No model known puts strangers above this on average.
  private static let mostAlike = 0.9
  /// Mean similarities that strangers have under no model known.
  private static let neverStrangers = [0.4..<0.75, mostAlike..<1.001]
  /// From this ``SimilaritySample/typicalShare`` on they are photos of one person, whatever the model, if they
  /// spread a little wider than strangers.
  private static let (onePersonShare, onePersonSpread) = (0.25, 1.1)

  /// - Parameters:
  ///   - sample: faces of the collection.
  ///   - samePhoto: similarities of pairs that come from one photo.
  /// - Complexity: O(m² · log m) for m faces.
  static func estimate(_ sample: SimilaritySample, samePhoto: [Double]) -> ImpostorDistribution {
    let found = estimate(
      similarities: sample.similarities, samePhoto: samePhoto, typicalShare: sample.typicalShare)
    // One person, or too wide for strangers: or two people who are alike, or one among strangers.
    let isWide = found.deviation > wide * relativeDeviation * (1 - found.mean)
    if found.pairs == 0 || isWide, let parts = sample.parts(),
      parts.across < leastOfOnePerson,
      parts.within - parts.across > leastApart * (1 - parts.across)
    {
      return ImpostorDistribution(
        mean: parts.across, deviation: relativeDeviation * (1 - parts.across), pairs: parts.pairs)
    }
    return found
  }

  /// The same of pairs of which only their similarities are known.
  static func estimate(
    similarities: [Float], samePhoto: [Double], typicalShare: Double
  ) -> ImpostorDistribution {
    let sorted = similarities.sorted().map(Double.init)
    guard sorted.count >= 10 else {
      return few(similarities.map(Double.init))
    }
    var found = growth(sorted, widest: .infinity)
    if found.mean < leastOfOnePerson,
      found.deviation > widest * relativeDeviation * (1 - found.mean)
    {
      // No strangers spread like that: pairs of two or three people's own photos are among them.
      found = growth(sorted, widest: widest)
    }
    let (number, mean, deviation) = found
    // Few pairs say little about a spread.
    let prior = relativeDeviation * (1 - mean)
    let weight = number / (number + 50)
    let believed = (weight * deviation * deviation + (1 - weight) * prior * prior).squareRoot()
    let reach = number / Double(sorted.count)
    let tail = sorted.count - count(upTo: mean + 6 * deviation, in: sorted)
    if reach > 0.8,
      isOnePerson(
        mean: mean, deviation: believed, typicalShare: typicalShare,
        hasTail: tail * tail * 400 > sorted.count)
    {
      // Above that they are copies of one face.
      if let apart = median(samePhoto), samePhoto.count >= 10, apart < mostAlike {
        return ImpostorDistribution(
          mean: apart, deviation: relativeDeviation * (1 - apart), pairs: samePhoto.count)
      }
      return belowOnePerson(mean: mean)
    }
    return ImpostorDistribution(mean: mean, deviation: believed, pairs: Int(number))
  }

  /// Takes pairs in, the least similar first, until what is left is too far away.
  ///
  /// Of a few people two may be less alike than all others; so the spread is at least that of strangers.
  private static func growth(
    _ sorted: [Double], widest: Double
  ) -> (number: Double, mean: Double, deviation: Double) {
    var number = max(Double(sorted.count) * 0.05, 5)
    var (mean, deviation) = (sorted[0], 0.0)
    for _ in 0..<100 {
      mean = quantile(0.5 * number, of: sorted)
      let usual = relativeDeviation * (1 - mean)
      deviation = max(mean - quantile(0.1587 * number, of: sorted), narrowest * usual, 1e-6)
      deviation = min(deviation, max(widest * usual, 1e-6))
      let below = Double(count(upTo: mean + 2.5 * deviation, in: sorted))
      let next = min(max(below / 0.9938, number), Double(sorted.count))
      if next <= number { break }
      number = next
    }
    return (number, mean, deviation)
  }

  /// Whether similarities around one mean are those of one person's photos.
  ///
  /// Photos of one person spread two to three times as wide as strangers do, measured against the
  /// distance from 1, or some of them are more like all others. Where neither is so, no model known puts
  /// strangers in ``neverStrangers``; but pairs far above all others, which are then the ones of one person,
  /// show that it happens.
  private static func isOnePerson(
    mean: Double, deviation: Double, typicalShare: Double, hasTail: Bool
  ) -> Bool {
    if mean < leastOfOnePerson { return false }
    let spread = deviation / (relativeDeviation * (1 - mean))
    return spread > widest || (spread > onePersonSpread && typicalShare > onePersonShare)
      || (!hasTail && neverStrangers.contains { $0.contains(mean) })
  }

  /// Where strangers would lie, six deviations below the photos of one person.
  ///
  /// Copies and frames of one shot say nothing about how unlike photos are: no strangers known are that alike.
  static func belowOnePerson(mean: Double) -> ImpostorDistribution {
    let distance = max(1 - mostAlike, (1 - mean) / (1 - 6 * relativeDeviation))
    return ImpostorDistribution(
      mean: 1 - distance, deviation: relativeDeviation * distance, pairs: 0)
  }

  private static func few(_ similarities: [Double]) -> ImpostorDistribution {
    let prior = SimilarityCalibration.prior
    guard let least = similarities.min(), least > 0.75 else {
      return ImpostorDistribution(
        mean: prior.impostorMean, deviation: prior.impostorDeviation, pairs: 0)
    }
    return belowOnePerson(mean: similarities.reduce(0, +) / Double(similarities.count))
  }

  private static func quantile(_ rank: Double, of sorted: [Double]) -> Double {
    sorted[min(max(Int(rank), 0), sorted.count - 1)]
  }

  private static func count(upTo limit: Double, in sorted: [Double]) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] <= limit { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func median(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.sorted()[values.count / 2]
  }
}
