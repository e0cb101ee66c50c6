internal import Glibc

/// Who the server runs as: oneself, or as root another user, since PostgreSQL refuses to be root.
struct ServerUser {
  let name: String
  let id: uid_t
  let group: gid_t
  /// Whether commands have to change to this user.
  let isAnother: Bool

  /// The user for a folder.
  ///
  /// As root it is the owner of the data that is there, else `postgres`.
  ///
  /// - Throws: ``PrivateServerError`` when there is no such user or the data belongs to another.
  static func find(forData data: String) throws -> Self {
    let own = geteuid()
    let owner = Files.facts(of: data)?.owner
    if own != 0 {
      if let owner, owner != own {
        throw PrivateServerError.foreignFolder(directory: data, owner: describe(owner))
      }
      return Self(name: describe(own), id: own, group: getegid(), isAnother: false)
    }
    if let owner, owner != 0, let entry = getpwuid(owner) {
      return Self(entry: entry.pointee)
    }
    guard let entry = getpwnam("postgres") else {
      throw PrivateServerError.noServerUser("postgres")
    }
    return Self(entry: entry.pointee)
  }

  private init(name: String, id: uid_t, group: gid_t, isAnother: Bool) {
    self.name = name
    self.id = id
    self.group = group
    self.isAnother = isAnother
  }

  private init(entry: passwd) {
    self.init(
      name: String(cString: entry.pw_name), id: entry.pw_uid, group: entry.pw_gid, isAnother: true)
  }

  private static func describe(_ id: uid_t) -> String {
    getpwuid(id).map { String(cString: $0.pointee.pw_name) } ?? "user number \(id)"
  }

  /// Gives a file to this user.
  func takeOver(_ path: String) throws {
    guard isAnother else { return }
    guard chown(path, id, group) == 0 else { throw Files.failure("give to user \(name)", path) }
  }

  /// Whether this user may enter a folder, by the rights of every folder on the way.
  ///
  /// Access control lists are not looked at.
  func canEnter(_ folder: String) -> Bool {
    guard isAnother else { return access(folder, X_OK) == 0 }
    let groups = memberships
    var path = ""
    var steps = ["/"]
    for part in Files.resolved(folder).split(separator: "/") {
      path += "/" + part
      steps.append(path)
    }
    return steps.allSatisfy { step in
      // What is not there yet will be made, and entered, by us.
      guard let facts = Files.facts(of: step) else { return true }
      if facts.owner == id { return facts.mode & S_IXUSR != 0 }
      if groups.contains(facts.group) { return facts.mode & S_IXGRP != 0 }
      return facts.mode & S_IXOTH != 0
    }
  }

  private var memberships: [gid_t] {
    var groups = [gid_t](repeating: 0, count: 256)
    var count = Int32(groups.count)
    guard getgrouplist(name, group, &groups, &count) >= 0 else { return [group] }
    return Array(groups.prefix(Int(count)))
  }
}
