internal import ArgumentParser
internal import FaceClustering
internal import Store

/// `photodb jobs list | retry`.
struct JobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "Shows the work that waits for workers, or was given up.",
    subcommands: [JobsListCommand.self, JobsRetryCommand.self])
}

/// `photodb jobs list`.
struct JobsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the jobs of the collection; those that are done are gone.",
    discussion: "Example: photodb jobs list --collection family")

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let jobs = try await DatabaseSession.with(options) { try await $0.stage().jobs() }
    try options.output.output.report(List(jobs: jobs.map(Job.init))) {
      var table = TextTable([
        ("job", .right), ("kind", .left), ("status", .left), ("attempts", .right),
        ("worker", .left), ("error", .left),
      ])
      for job in jobs {
        table.append([
          "\(job.id)", job.kind.rawValue, job.status.rawValue, "\(job.attempts)",
          job.leasedBy ?? "", job.error ?? "",
        ])
      }
      return jobs.isEmpty ? "no work waits" : table.text
    }
  }

  private struct List: Encodable {
    let jobs: [Job]
  }

  private struct Job: Encodable {
    let jobId: Int64
    let kind: JobKind
    let status: JobRecord.Status
    let attempts: Int
    let error: String?
    let runAfter: String
    let leasedBy: String?
    let leasedUntil: String?
    let createdAt: String

    init(_ job: JobRecord) {
      jobId = job.id
      kind = job.kind
      status = job.status
      attempts = job.attempts
      error = job.error
      runAfter = timeText(job.runAfter)
      leasedBy = job.leasedBy
      leasedUntil = job.leasedUntil.map(timeText)
      createdAt = timeText(job.createdAt)
    }
  }
}

/// `photodb jobs retry`.
struct JobsRetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Puts the jobs that were given up into the queue again.",
    discussion: "Example: photodb jobs retry --collection family")

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let count = try await DatabaseSession.with(options) { try await $0.stage().retryDeadJobs() }
    try options.output.output.report(["queued": count]) {
      "\(Formatting.count(count, "job")) put into the queue again"
    }
  }
}
