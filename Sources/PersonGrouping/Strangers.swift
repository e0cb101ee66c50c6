public import Vectors

/// Whether most pairs of faces are pairs of different people, told by how they spread.
///
/// Photos of one person spread two to three times as wide, measured against their distance from 1,
/// as strangers do under any model. Nothing is known of fewer than five faces, which counts as no.
///
/// - Parameters:
///   - faces: n × d unit vectors.
///   - threads: most threads to use; the result does not depend on it.
/// - Complexity: O(n · d) and half a million inner products.
public func areMostlyStrangers(
  _ faces: Matrix<Float>, threads: Int = availableThreads
) -> Bool {
  let sample = SimilaritySample(faces, threads: threads)
  let estimate = FirstImpostorEstimate.estimate(sample, samePhoto: [])
  return 2 * estimate.pairs > sample.similarities.count
}
