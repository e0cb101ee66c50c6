import Testing

@testable import PhotodbCommands

struct ProgressBarTests {
  @Test func theLineShowsPhaseShareRateAndEstimate() {
    let line = ProgressBar.line(
      phase: "fit", fraction: 0.25, elapsed: 10, completed: 2500, unit: "rows", columns: 200)
    #expect(
      line == "fit  [#####···············]  25.0 %  250 rows/s  about 30.00 s left")
  }

  @Test func nothingIsEstimatedBeforeThereIsEvidence() {
    let line = ProgressBar.line(
      phase: "fit", fraction: 0.005, elapsed: 0.1, completed: nil, unit: "", columns: 200)
    #expect(line == "fit  [····················]  0.5 %")
  }

  @Test(arguments: [20, 40])
  func theLineNeverWraps(columns: Int) {
    let line = ProgressBar.line(
      phase: "neighbours", fraction: 0.5, elapsed: 9, completed: 100, unit: "rows",
      columns: columns)
    #expect(line.count == columns - 1)
  }

  @Test(arguments: [-1, 2, Double.nan])
  func sharesOutsideTheRangeAreHarmless(fraction: Double) {
    let line = ProgressBar.line(
      phase: "fit", fraction: fraction, elapsed: 9, completed: nil, unit: "", columns: 80)
    #expect(line.hasSuffix(fraction == 2 ? "100.0 %" : "0.0 %"))
  }
}
