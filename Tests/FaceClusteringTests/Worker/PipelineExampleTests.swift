import FaceClustering
import Foundation
import Logging
import PostgresClient
import TestSupport
import Testing

extension OnPostgres {
  /// The example of docs/workers.md compiles, runs, and is what stands here.
  @Suite struct PipelineExampleTests {
    // begin
    private func pipeline(_ url: String, _ file: String) async throws {
      let logger = Logger(label: "pipeline")
      let pool = PostgresPool(try PostgresConfiguration(url), logger: logger)
      let models = ModelCache()
      let stage = try await FaceClustering.openOrCreate(
        pool: pool, collection: "default", embeddingModel: "sface", dimension: 128, models: models,
        logger: logger)

      let worker = Worker(pool: pool, models: models, logger: logger)
      let working = Task { try await worker.run() }

      _ = try await stage.importFaces(FaceFile.read(file))  // wakes the worker

      working.cancel()  // undoes the batch in hand
      print(try await working.value.faces)
    }
    // end

    @Test func theExampleOfThePageRuns() async throws {
      try await TestServer.shared.withFreshDatabase { pool in
        let place = pool.configuration
        try await pipeline(
          "host=\(place.host) port=5432 dbname=\(place.database) user=\(place.user)",
          FaceFixture.path)
        let count = try await pool.query("SELECT count(*) FROM face_embedding").single().int64(0)
        #expect(count == 572)
      }
    }

    @Test func thePageShowsIt() throws {
      let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../docs/workers.md").standardized
      let block = try String(contentsOf: page, encoding: .utf8)
        .components(separatedBy: "```swift\n")[1].components(separatedBy: "```")[0]
      let shown = block.split(separator: "\n")
        .filter {
          !$0.hasPrefix("import ") && !$0.hasPrefix("let url") && !$0.hasPrefix("let file")
        }
      let own = try String(contentsOfFile: #filePath, encoding: .utf8)
        .components(separatedBy: "// begin\n")[1].components(separatedBy: "// end\n")[0]
        .split(separator: "\n").dropFirst().dropLast(2)
      // Where lines break does not matter.
      func words(_ lines: some Sequence<Substring>) -> [Substring] {
        lines.joined(separator: " ").split(whereSeparator: \.isWhitespace)
      }
      #expect(words(shown) == words(own))
    }
  }
}
