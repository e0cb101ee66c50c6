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
  /// Faces that changed their cluster; after `undo` those that went back.
  public var moved = 0
  /// After `undo`: faces that the action had moved and that stay where programs put them since.
  public var stayed = 0
  /// External ids of faces that went to the pool, because people said that they do not belong where
  /// the action would have put them; after `undo` also of faces that are new again, because the cluster
  /// in which programs had put them is gone.
  public var setAside: [String] = []
  /// Names that nobody has any more, because their persons were merged into one of another name.
  public var lostNames: [String] = []
  /// Clusters that the action was about, those that it made last.
  public var clusterIDs: [Int64] = []
  /// Persons that the action was about, those that it made last.
  public var personIDs: [Int64] = []
  /// After `activate`: the run that was in charge before, and the one that is now.
  public var runIDs: [Int64] = []
  /// After `activate`: faces of the collection that are new by now and wait for a decision; nil after
  /// everything else.
  @OrNull public var undecided: Int? = nil

  enum CodingKeys: String, CodingKey {
    case actionID = "action_id"
    case kind, summary, moved, stayed, undecided
    case dryRun = "dry_run"
    case setAside = "set_aside"
    case lostNames = "lost_names"
    case clusterIDs = "cluster_ids"
    case personIDs = "person_ids"
    case runIDs = "run_ids"
  }
}

extension HumanActionReport {
  /// Reads what the log keeps; what older programs did not write is empty.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      actionID: try container.decodeIfPresent(Int64.self, forKey: .actionID),
      kind: try container.decode(String.self, forKey: .kind),
      summary: try container.decode(String.self, forKey: .summary),
      dryRun: try container.decode(Bool.self, forKey: .dryRun),
      moved: try container.decode(Int.self, forKey: .moved),
      stayed: try container.decodeIfPresent(Int.self, forKey: .stayed) ?? 0,
      setAside: try container.decode([String].self, forKey: .setAside),
      lostNames: try container.decodeIfPresent([String].self, forKey: .lostNames) ?? [],
      clusterIDs: try container.decode([Int64].self, forKey: .clusterIDs),
      personIDs: try container.decode([Int64].self, forKey: .personIDs),
      runIDs: try container.decode([Int64].self, forKey: .runIDs),
      undecided: try container.decodeIfPresent(Int.self, forKey: .undecided))
  }
}
