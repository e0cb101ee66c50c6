/// What an action of a human did, or with a dry run would have done.
public struct HumanActionReport: Sendable, Codable, Equatable {
  /// Id in the log of actions, for `undo`; nil after a dry run.
  @OrNull public var actionID: Int64?
  /// assign, reject, accept_candidate, reject_candidate, name, merge, split, separate, verify, hide,
  /// represent, activate, associate or undo.
  public var kind: String
  /// One line for people.
  public var summary: String
  /// Whether nothing was written.
  public var dryRun = false
  /// Faces that changed their cluster.
  public var moved = 0
  /// External ids of faces that went to the pool, because people said that they do not belong where
  /// the action would have put them.
  public var setAside: [String] = []
  /// Clusters that the action was about, those that it made last.
  public var clusterIDs: [Int64] = []
  /// Persons that the action was about, those that it made last.
  public var personIDs: [Int64] = []
  /// After `activate`: the run that was in charge before, and the one that is now.
  public var runIDs: [Int64] = []

  enum CodingKeys: String, CodingKey {
    case actionID = "action_id"
    case kind, summary, moved
    case dryRun = "dry_run"
    case setAside = "set_aside"
    case clusterIDs = "cluster_ids"
    case personIDs = "person_ids"
    case runIDs = "run_ids"
  }
}
