public import NetpolModel

/// What chance decides about the sets of one rule's named ports (D16): which ports share an address list depends on which
/// pod comes first, and kube-router takes pods in the order of a Go map.
public struct SharedLists: Hashable, Sendable {
  /// A pod that the rule's named ports are looked up on.
  public struct Holder: Hashable, Sendable {
    public let addresses: [IPAddress]
    /// Its named ports, as numbers for (name, protocol, port).
    public let keys: Set<Int>
    public init(addresses: [IPAddress], keys: Set<Int>) {
      self.addresses = addresses
      self.keys = keys
    }
  }

  /// In any order within a stage. Each peer of an egress rule is a stage, and peers keep their order.
  public let stages: [[Holder]]
  /// The rule's sets, and the key that each is for.
  public var sets: [SetPlace: Int] = [:]

  public init(stages: [[Holder]]) { self.stages = stages }

  /// Whether some order of the pods gives the sets these members, all at once. Sets without an entry may have any.
  ///
  /// Only the first pod of each list matters: a list has all ports of that pod that no earlier pod has, and every pod that
  /// has one of them. So this tries the pods that can come first, then those that can be the next to begin a list, and so
  /// on. What can follow depends only on the ports that have a list by then.
  public func canHave(_ members: [SetPlace: Set<IPAddress>]) -> Bool {
    var holders: [Int: Set<IPAddress>] = [:]
    for holder in stages.joined() {
      for key in holder.keys { holders[key, default: []].formUnion(holder.addresses) }
    }
    var wanted: [Int: [(family: IPFamily, members: Set<IPAddress>)]] = [:]
    for (place, key) in sets {
      if let found = members[place] { wanted[key, default: []].append((place.family, found)) }
    }
    var search = Search(stages: stages.map { Set($0.map(\.keys)) }, holders: holders, wanted: wanted)
    return search.succeeds(from: [], stage: 0)
  }

  private struct Search {
    /// The ports of the pods of each stage. Pods with the same ports are alike.
    let stages: [Set<Set<Int>>]
    let holders: [Int: Set<IPAddress>]
    let wanted: [Int: [(family: IPFamily, members: Set<IPAddress>)]]
    private var failed: Set<[Set<Int>]> = []

    init(
      stages: [Set<Set<Int>>], holders: [Int: Set<IPAddress>],
      wanted: [Int: [(family: IPFamily, members: Set<IPAddress>)]]
    ) {
      self.stages = stages
      self.holders = holders
      self.wanted = wanted
    }

    /// `listed`: the ports that have a list.
    mutating func succeeds(from listed: Set<Int>, stage: Int) -> Bool {
      guard stage < stages.count else { return true }
      let lists = Set(stages[stage].map { $0.subtracting(listed) }.filter { !$0.isEmpty })
      if lists.isEmpty { return succeeds(from: listed, stage: stage + 1) }
      let state = [listed, [stage]]
      if failed.contains(state) { return false }
      for list in lists where hasWantedMembers(list) {
        if succeeds(from: listed.union(list), stage: stage) { return true }
      }
      failed.insert(state)
      return false
    }

    private func hasWantedMembers(_ list: Set<Int>) -> Bool {
      let all = list.reduce(into: Set<IPAddress>()) { $0.formUnion(holders[$1] ?? []) }
      return list.allSatisfy { key in
        (wanted[key] ?? []).allSatisfy { family, members in members == all.filter { $0.family == family } }
      }
    }
  }
}
