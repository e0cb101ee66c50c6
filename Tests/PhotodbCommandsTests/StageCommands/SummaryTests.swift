import PersonGrouping
import Testing

@testable import FaceClustering
@testable import PhotodbCommands

/// What commands say when they are done.
struct SummaryTests {
  @Test func aBootstrapSaysWhoIsToBeDecidedAgain() {
    var report = BootstrapReport.empty(dryRun: false)
    report.moved = 1
    #expect(!BootstrapCommand.text(report).contains("again"))
    #expect(BootstrapCommand.text(report).contains("1 face moved, 0 questions raised"))
    report.reconsidered = 12
    #expect(
      BootstrapCommand.text(report).hasSuffix(
        "\nundecided  12 faces to be decided again: run `photodb assign` or a worker"))
  }

  @Test func anActionSaysWhoIsToBeDecidedAgain() {
    var report = HumanActionReport(
      actionID: 7, kind: "activate", summary: "put run 3 in charge", moved: 1)
    #expect(
      report.text == "put run 3 in charge\n  moved      1 face\n  undo with  photodb undo 7")
    report.undecided = 1
    #expect(report.text.contains("\n  undecided  1 face to be decided again: "))
  }

  @Test func aCalibrationIsOneLine() {
    let line = CalibrationReport(SimilarityCalibration.prior).line
    #expect(line.hasPrefix("groups are one from a mean similarity of 0."))
    #expect(
      line.hasSuffix(
        " deviations), different people 0.060 ± 0.090 (a prior: one person alone?), about 20 people"
      ), "\(line)")
  }

  @Test func seriesKeepTheirLabelsWhenASignalFires() {
    func text(_ value: Double?, fired: Bool) -> String {
      let signals = [
        StalenessSignal(
          name: "growth", value: value, threshold: 1.25, fired: fired, severity: .stale)
      ]
      let report = StalenessReport(
        collection: "a\"b", status: fired ? .stale : .fresh, runID: 1, embeddingCount: 4,
        currentCount: 5, growth: value, signals: signals)
      return StalenessMetrics.text([
        StalenessOutcome(collection: "a\"b", result: .success(report)),
        StalenessOutcome(collection: "c", result: .failure(CommandFailure("no"))),
      ])
    }
    func samples(_ text: String) -> [String] {
      text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }
    let labels = #"{collection="a\"b",name="growth"}"#
    #expect(
      samples(text(1.5, fired: true)) == [
        #"photodb_staleness{collection="a\"b"} 2"#, #"photodb_staleness{collection="c"} 3"#,
        "photodb_staleness_signal\(labels) 1.5",
        "photodb_staleness_signal_threshold\(labels) 1.25",
        "photodb_staleness_signal_fired\(labels) 1",
      ])
    let quiet = samples(text(nil, fired: false))
    #expect(!quiet.contains { $0.hasPrefix("photodb_staleness_signal{") })
    #expect(quiet.contains { $0 == "photodb_staleness_signal_fired\(labels) 0" })
    let families = text(1.5, fired: true).split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
    #expect(Set(families).count == 4 && families.count == 4)
  }

  @Test func whatCouldNotBeCheckedIsASeriesToo() {
    #expect(
      StalenessMetrics.notChecked("a").hasSuffix("\nphotodb_staleness{collection=\"a\"} 3"))
    #expect(StalenessMetrics.notChecked(nil).hasSuffix("\nphotodb_staleness 3"))
  }
}
