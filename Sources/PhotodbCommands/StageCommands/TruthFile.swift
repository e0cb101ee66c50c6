internal import Foundation
internal import Store
internal import SwiftCSV

/// Known identities: a CSV file with the columns `external_id` and `identity`.
enum TruthFile {
  /// Number of each external id's identity; rows without identity, or with −1, are left out.
  ///
  /// - Throws: ``CommandFailure`` with the file and the line.
  static func read(_ path: String) throws -> [ExactText: Int] {
    let text: String
    do {
      text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    } catch {
      throw CommandFailure("\(path): cannot be read; give a CSV file in UTF-8")
    }
    let table: CSV<Named>
    do {
      table = try CSV<Named>(string: text, delimiter: .comma, loadColumns: false)
    } catch {
      throw CommandFailure("\(path): is no CSV file: \(oneLine(error))")
    }
    guard table.header.contains("external_id"), table.header.contains("identity") else {
      throw CommandFailure("\(path): the first line must name the columns external_id and identity")
    }
    var numbers: [String: Int] = [:]
    var result: [ExactText: Int] = [:]
    for (index, row) in table.rows.enumerated() {
      guard let id = row["external_id"], !id.isEmpty, let identity = row["identity"] else {
        throw CommandFailure("\(path): line \(index + 2) has no external_id")
      }
      if identity.isEmpty || identity == "-1" { continue }
      let number = numbers[identity] ?? numbers.count
      numbers[identity] = number
      if let known = result[ExactText(id)], known != number {
        throw CommandFailure("\(path): line \(index + 2) gives “\(id)” a second identity")
      }
      result[ExactText(id)] = number
    }
    guard !result.isEmpty else {
      throw CommandFailure("\(path): holds no identity; write external_id,identity rows")
    }
    return result
  }
}
