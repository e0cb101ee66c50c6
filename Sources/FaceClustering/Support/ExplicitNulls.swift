extension AssignmentReport {
  /// Writes every field; `run_id` and `tier_one_skipped` are null where there is nothing to say.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(assigned, forKey: .assigned)
    try container.encode(pending, forKey: .pending)
    try container.encode(unassigned, forKey: .unassigned)
    try container.encode(constrained, forKey: .constrained)
    try container.encode(invalid, forKey: .invalid)
    try container.encode(invalidFaces, forKey: .invalidFaces)
    try container.encode(candidates, forKey: .candidates)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(newClusters, forKey: .newClusters)
    try container.encode(runID, forKey: .runID)
    try container.encode(tierOneSkipped, forKey: .tierOneSkipped)
    try container.encode(perFaceMilliseconds, forKey: .perFaceMilliseconds)
  }
}

extension HumanAssignment {
  /// Writes every field; `old_cluster_id` is null for a face that had none.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(externalID, forKey: .externalID)
    try container.encode(oldClusterID, forKey: .oldClusterID)
    try container.encode(clusterID, forKey: .clusterID)
    try container.encode(personID, forKey: .personID)
  }
}

extension RunDifference.Setting {
  /// Writes every field; a value is null where the run did not know the setting.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(before, forKey: .before)
    try container.encode(after, forKey: .after)
  }
}

extension RunTree.Row {
  /// Writes every field; the face is null for a cluster, its external id for a face that was deleted.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(parent, forKey: .parent)
    try container.encode(child, forKey: .child)
    try container.encode(lambda, forKey: .lambda)
    try container.encode(size, forKey: .size)
    try container.encode(detectionID, forKey: .detectionID)
    try container.encode(externalID, forKey: .externalID)
  }
}
