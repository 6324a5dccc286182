internal import Apply
public import Kernel
public import NetpolModel
public import Network
internal import Path
internal import RuleIR

/// The check before any verdict: on every node a planted deny must deny and a planted allow must pass, through the same
/// loaders and probes as the real rules. A lab that fails it proves nothing.
public enum SelfCheck {
  private static let open: UInt16 = 61_001
  private static let shut: UInt16 = 61_002

  /// Removes the planted rules and sets at the end. Throws `LabError` if an observation isn't the planted one.
  public static func run(
    _ fabric: Fabric, families: [IPFamily], bridged: Bool, transports: [Transport] = [.tcp, .udp],
    workers: NamespaceWorkers
  ) throws {
    var flows: [(flow: Flow, expected: Verdict)] = []
    let nodes = fabric.topology.nodes.compactMap { node in
      fabric.namespace(ofNode: node.name).map { Node(namespace: $0, targets: targets(on: node.name, fabric, families)) }
    }
    _ = try workers.map(nodes) { node, worker in
      try RuleLoader(worker: worker).load(
        planted(node.targets.map(\.address), families, transports), in: node.namespace)
    }
    for node in nodes {
      for target in node.targets {
        for (port, expected) in [(open, Verdict.allow), (shut, .deny)] {
          for transport in transports {
            flows += senders(to: target, fabric, bridged: bridged).map { sender in
              (
                Flow(from: sender.endpoint, sender.address, to: target.endpoint, target.address, transport, port),
                expected
              )
            }
          }
        }
      }
    }
    try expect(flows, fabric)
    _ = try workers.map(nodes) { node, worker in
      try RuleLoader(worker: worker).clear(families, in: node.namespace)
    }
  }

  private struct Node: Sendable {
    let namespace: NetworkNamespace
    let targets: [Party]
  }

  /// A planted allow may need a moment, because the kernel brings links up in its own time. A planted deny that lets
  /// even one packet through means a broken lab.
  private static func expect(_ flows: [(flow: Flow, expected: Verdict)], _ fabric: Fabric) throws {
    var pending = flows
    for attempt in 1...4 {
      let seen = try KernelEngine(fabric).observe(pending.map(\.flow))
      let failed = zip(pending, seen).filter { $0.expected != $1.verdict }
      guard let (planted, observation) = failed.first else { return }
      if attempt == 4 || failed.contains(where: { $0.expected == .deny && $1.verdict == .allow }) {
        throw LabError(
          "the lab's self-check failed, so its verdicts would prove nothing: \(planted.flow) should be "
            + "\(planted.expected.rawValue) but was \(observation)")
      }
      pending = failed.map(\.0)
    }
  }

  private struct Party: Sendable {
    let endpoint: Endpoint
    let address: IPAddress
  }

  /// Up to two pods of the node, or the node itself if it has none.
  private static func targets(on node: String, _ fabric: Fabric, _ families: [IPFamily]) -> [Party] {
    let topology = fabric.topology
    let pods = (topology.node(node)?.pods.prefix(2) ?? []).map(Endpoint.pod)
    return (pods.isEmpty ? [.node(node)] : pods).flatMap { endpoint in
      families.compactMap { family in
        topology.address(of: endpoint, family).map { Party(endpoint: endpoint, address: $0) }
      }
    }
  }

  /// The control host; if br_netfilter passes bridged packets to iptables, a pod of the same bridge; and if there is a
  /// tunnel, a pod at its other end.
  private static func senders(to target: Party, _ fabric: Fabric, bridged: Bool) -> [Party] {
    let topology = fabric.topology
    var senders = fabric.control.addresses.filter { $0.family == target.address.family }.map {
      Party(endpoint: .address($0), address: $0)
    }
    if bridged, case .pod(let id) = target.endpoint, let node = topology.pods[id]?.node,
      let neighbour = topology.node(node)?.pods.first(where: { $0 != id }),
      let address = topology.address(of: .pod(neighbour), target.address.family)
    {
      senders.append(Party(endpoint: .pod(neighbour), address: address))
    }
    if case .pod(let id) = target.endpoint, let node = (topology.pods[id]?.node).flatMap(topology.node),
      let other = topology.nodes.first(where: {
        $0.isTunnelled(to: node, target.address.family) && !$0.pods.isEmpty
      })?.pods.first, let address = topology.address(of: .pod(other), target.address.family)
    {
      senders.append(Party(endpoint: .pod(other), address: address))
    }
    return senders
  }

  /// Refuses one port of the targets at INPUT and FORWARD, with a set match, a mark and a jump, like the real rules.
  private static func planted(_ targets: [IPAddress], _ families: [IPFamily], _ transports: [Transport]) -> Ruleset {
    let mark = Mark(0x1, mask: 0x1)
    var ruleset = Ruleset()
    for family in families {
      let set = family == .v4 ? "planted" : "inet6:planted"
      let members = targets.filter { $0.family == family }.map { NamedSet.Member(CIDR($0)) }
      ruleset.sets.append(NamedSet(name: set, family: family, kind: .addresses, members: members))
      let shutPorts = transports.map { transport in
        Rule([.inSet(.destination, set), .port(transport, PortRange(shut))], [.setMark(mark)])
      }
      let jump = Rule([], [.jump("PLANTED")], comment: "self-check")
      ruleset.tables.append(
        Table(
          name: "filter", family: family,
          chains: [
            Chain(name: "INPUT", base: .init(.input), rules: [jump]),
            Chain(name: "FORWARD", base: .init(.forward), rules: [jump]),
            Chain(name: "PLANTED", rules: shutPorts + [Rule([.mark(mark)], [.reject(.portUnreachable)])]),
          ]))
    }
    return ruleset
  }
}
