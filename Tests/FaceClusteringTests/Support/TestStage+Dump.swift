import PostgresClient
import Store

extension TestStage {
  /// Every row that says where faces belong and what people decided, of this collection; two equal
  /// texts, two equal states.
  func dump() async throws -> String {
    var result = ""
    for table in [
      "person_detection", "cluster", "person", "face_match_candidate",
      "cluster_person_cannot_link", "detection_constraint",
    ] {
      let rows = try await value(
        """
        SELECT coalesce(string_agg((to_jsonb(t) - 'pooled_in' - 'changed_in')::text, E'\\n' ORDER BY id), '') FROM \(table) t
        WHERE collection_id = $1
        """, [.int64(collection.id)])
      result += "\(table)\n\(rows ?? "")\n"
    }
    return result
  }

  /// The lines in which two dumps differ, for messages.
  static func difference(_ a: String, _ b: String) -> [String] {
    let (old, new) = (Set(a.split(separator: "\n")), Set(b.split(separator: "\n")))
    return old.subtracting(new).map { "- " + $0 }.sorted()
      + new.subtracting(old).map { "+ " + $0 }.sorted()
  }

  /// Live clusters with their faces by external id, the largest first.
  func groups() async throws -> [(cluster: Int64, person: Int64, faces: [String])] {
    var groups: [Int64: (cluster: Int64, person: Int64, faces: [String])] = [:]
    for face in try await faces().values.sorted(by: { $0.detectionID < $1.detectionID }) {
      guard let cluster = face.clusterID, let person = face.personID else { continue }
      groups[cluster, default: (cluster, person, [])].faces.append(face.externalID)
    }
    return groups.values.sorted {
      ($1.faces.count, $0.cluster) < ($0.faces.count, $1.cluster)
    }
  }
}
