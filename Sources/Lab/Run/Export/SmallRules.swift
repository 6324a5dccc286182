internal import Enforcement
internal import Lowering
internal import NetpolModel
internal import Path
internal import RuleIR

/// A cluster's rules without those that name only addresses which no packet of a flow has.
struct SmallRules {
  private(set) var enforced: EnforcedCluster

  /// `topology` has the machines that the flow can meet. Throws `IllFormed` if the parts of the rules don't fit.
  init(_ whole: EnforcedCluster, _ topology: Topology, _ flow: Flow, _ journeys: [Journey]) throws {
    let nodes = Set(topology.nodes.map(\.name))
    let met = MetAddresses(topology, flow, [whole.record(of: flow)], journeys)
    let small = whole.rulesets.filter { nodes.contains($0.key) }.mapValues { rulesets in
      rulesets.map { $0.meeting(met).reachable }
    }
    enforced = try whole.replacing(small)
    // Whatever else was left out must not matter.
    if !enforced.isSame(as: whole, for: flow) { enforced = whole }
    enforced = enforced.reachable(onNodes: nodes)
  }
}

/// The addresses that the packets of a flow, their answers and the errors about them can have.
struct MetAddresses {
  private let addresses: [IPAddress]

  init(_ topology: Topology, _ flow: Flow, _ records: [PacketRecord], _ journeys: [Journey]) {
    var all: Set<IPAddress> = [flow.sourceAddress, flow.destinationAddress]
    for node in topology.nodes { all.formUnion(node.localAddresses) }
    for pod in topology.pods.values { all.formUnion(pod.addresses.map(\.address)) }
    for host in topology.externals { all.formUnion(host.addresses) }
    for hook in records.flatMap(\.hooks) {
      for packet in [hook.before, hook.after] { all.formUnion([packet.source, packet.destination]) }
    }
    for step in journeys.flatMap(\.steps) {
      all.formUnion([step.source, step.destination])
      switch step.event {
      case .destinationTranslated(let address, _), .masqueraded(let address): all.insert(address)
      case .passed, .stopped: break
      }
    }
    addresses = all.sorted()
  }

  func has(_ cidr: CIDR) -> Bool { addresses.contains { $0.family == cidr.family && cidr.contains($0) } }

  /// Whether one lies in a range of integers, as keys of sets have them.
  func has(_ range: ClosedRange<UInt128>, _ family: IPFamily) -> Bool {
    addresses.contains { $0.family == family && range.contains($0.bits) }
  }
}

extension Ruleset {
  /// Sets up to this size are kept whole, so that a reader sees what is in them.
  private static let mostMembers = 32

  fileprivate func meeting(_ met: MetAddresses) -> Ruleset {
    var part = self
    for table in part.tables.indices {
      for chain in part.tables[table].chains.indices {
        part.tables[table].chains[chain].rules.removeAll { !$0.canMeet(met) }
      }
    }
    for index in part.sets.indices where part.sets[index].members.count > Self.mostMembers {
      part.sets[index].members.removeAll { !met.has($0.cidr) }
    }
    for index in part.keyedSets.indices where part.keyedSets[index].elements.count > Self.mostMembers {
      let set = part.keyedSets[index]
      part.keyedSets[index].elements.removeAll { !$0.canMeet(met, in: set) }
    }
    return part
  }
}

extension Rule {
  fileprivate func canMeet(_ met: MetAddresses) -> Bool {
    matches.allSatisfy { match in
      switch match {
      case .address(_, let cidr, negated: false): met.has(cidr)
      case .addresses(_, let cidrs, negated: false): cidrs.contains(where: met.has)
      default: true
      }
    }
  }
}

extension KeyedSet.Element {
  fileprivate func canMeet(_ met: MetAddresses, in set: KeyedSet) -> Bool {
    for (index, field) in set.fields.enumerated() where field == .address && key.indices.contains(index) {
      let last = index == set.fields.count - 1 ? through ?? key[index] : key[index]
      if key[index] > last || !met.has(key[index]...last, set.family) { return false }
    }
    return true
  }
}

extension EnforcedCluster {
  /// Whether a flow's packet is judged by the same rules, hook by hook.
  fileprivate func isSame(as other: EnforcedCluster, for flow: Flow) -> Bool {
    let (own, others) = (record(of: flow), other.record(of: flow))
    guard own.end == others.end, own.hooks.count == others.hooks.count else { return false }
    return zip(own.hooks, others.hooks).allSatisfy { mine, theirs in
      mine.position == theirs.position && mine.after == theirs.after
        && mine.rules.map(\.rule.text) == theirs.rules.map(\.rule.text)
    }
  }

  /// The same without the rules of policies: without iptables' filter tables or the style's own tables of nftables.
  func withoutPolicies() throws -> EnforcedCluster {
    try replacing(rulesets.mapValues { $0.withoutPolicies(of: style.backend) })
  }
}

extension [Ruleset] {
  /// The rules of a node without those of policies. What is left of their tables are base chains.
  func withoutPolicies(of backend: Ruleset.Backend) -> [Ruleset] {
    enumerated().map { index, ruleset in
      var part = ruleset
      switch ruleset.backend {
      case .iptables:
        for table in part.tables.indices where part.tables[table].name == "filter" {
          part.tables[table] = part.tables[table].emptied
        }
        part.sets = part.reachable.sets
      case .nftables where backend == .nftables && index == 0:
        part.tables = part.tables.map(\.emptied)
        (part.sets, part.keyedSets) = ([], [])
      case .nftables: break
      }
      for table in part.tables.indices where ruleset.tables[table] != part.tables[table] {
        for chain in part.tables[table].chains.indices { part.tables[table].chains[chain].base?.policy = .accept }
      }
      return part
    }
  }
}
