import FaceClustering
import Testing

@testable import PhotodbCommands

struct ForecastTests {
  @Test func memoryGrowsWithFacesAndDimension() {
    let small = BootstrapEstimate(faces: 1_000, dimension: 128, minSamples: 2)
    let more = BootstrapEstimate(faces: 100_000, dimension: 128, minSamples: 2)
    let wider = BootstrapEstimate(faces: 100_000, dimension: 512, minSamples: 2)
    #expect(small.memoryBytes < more.memoryBytes && more.memoryBytes < wider.memoryBytes)
  }

  @Test func aFitThatMemoryDoesNotSufficeForIsRefused() throws {
    let estimate = BootstrapEstimate(faces: 100_000, dimension: 512, minSamples: 2)
    try estimate.check(availableBytes: estimate.memoryBytes)
    try estimate.check(availableBytes: nil)
    let error = #expect(throws: BootstrapError.self) {
      try estimate.check(availableBytes: estimate.memoryBytes - 1)
    }
    #expect(try #require(error).description.hasPrefix("a bootstrap of 100000 faces needs about "))
    // No machine has this.
    let huge = BootstrapEstimate(faces: 1 << 40, dimension: 512, minSamples: 2)
    #expect(throws: BootstrapError.self) { try huge.check() }
  }

  @Test func withoutAFitLessIsNeeded() throws {
    let (withFit, without) = (false, true)
    let estimates = [withFit, without].map {
      BootstrapEstimate(
        faces: 100_000, leftOut: 1_000, dimension: 128, minSamples: 2, withoutFit: $0)
    }
    #expect(estimates[1].memoryBytes < estimates[0].memoryBytes)
    #expect(estimates[1].memoryBytes > 101_000 * 128 * 4)
    let forecasts = try estimates.map { try BootstrapForecast($0, threads: 1) }
    #expect(forecasts[1].seconds < forecasts[0].seconds)
    #expect(forecasts[1].line.contains("with the fit that is there"))
  }

  @Test func timeGrowsWithTheSquareOfTheFaces() throws {
    let small = BootstrapEstimate(faces: 10_000, dimension: 128, minSamples: 2)
    let large = BootstrapEstimate(faces: 1_000_000, dimension: 128, minSamples: 2)
    let seconds = try [small, large].map { try BootstrapForecast($0, threads: 1).seconds }
    #expect(seconds[0] > 0 && seconds[1] > 100 * seconds[0])
  }
}
