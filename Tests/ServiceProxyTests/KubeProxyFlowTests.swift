// Not covered: nftables mode, and what session affinity does with later packets.
import Evaluator
import NetpolModel
import RuleIR
import ServiceProxy
import TestSupport
import Testing

@Suite("Packet flows of kube-proxy's own tests") struct KubeProxyFlowTests {
  /// The worlds that exist in iptables mode.
  static let worlds = ProxyWorld.all.filter { world in world.flows.contains { $0.expect.iptables != nil } }

  @Test(
    "the rules send each packet to the endpoints that kube-proxy may choose, and stop those that it stops",
    arguments: worlds)
  func flows(world: ProxyWorld) throws {
    let mode = try #require(world.proxy.iptables)
    let tables = serviceProxyTables(try view(of: world, mode))
    for flow in world.flows {
      guard let expected = flow.expect.iptables else { continue }
      #expect(try Tracer(tables, world, flow).fates() == expected.fates, "\(flow.name)")
    }
  }

  /// What kube-proxy sees of the world.
  private func view(of world: ProxyWorld, _ mode: ProxyWorld.Proxy.Mode) throws -> ProxyView {
    let node = try world.node()
    return ProxyView(
      node: node.name, zone: node.zone, nodeAddresses: node.addresses,
      interfaceAddresses: try world.proxy.localIPs.map(Fixture.address),
      families: [try #require(IPFamily(rawValue: world.proxy.family))], clusterCIDRs: try world.clusterCIDRs(),
      services: try world.apiServices(), endpointSlices: try world.apiSlices(), endpointChoice: .random,
      flags: try world.kubeProxy(mode))
  }

  @Test("no flow is left out")
  func completeness() {
    #expect(Self.worlds.count == 86)
    #expect(Self.worlds.map { $0.flows.filter { $0.expect.iptables != nil }.count }.reduce(0, +) == 341)
  }
}

/// Follows one packet through a node's rules, in all ways that their random choices allow.
private struct Tracer {
  /// The rules once for each choice.
  private let choices: [Evaluator]
  private let packet: Packet
  private let isNodes: Bool
  private let locals: Set<IPAddress>

  init(_ tables: [Table], _ world: ProxyWorld, _ flow: ProxyWorld.Flow) throws {
    let source = try Fixture.address(flow.from.ip)
    packet = Packet(
      from: source, to: try Fixture.address(flow.to),
      .transport(try flow.transport(), source: 40000, destination: flow.port))
    isNodes = flow.from.isNodes
    // A node sends from a load balancer's address only if it has it.
    let locals = Set(try world.proxy.localIPs.map(Fixture.address)).union(isNodes ? [source] : [])
    self.locals = locals
    let most = tables.flatMap(\.chains).map { $0.rules.count(where: \.isRandom) }.max() ?? 0
    choices = try (0...most).map { skipped in
      try Evaluator(Ruleset(tables: tables.map { $0.skipping(skipped) }), localAddresses: locals)
    }
  }

  func fates() -> Set<PacketFate> { Set(choices.map(fate)) }

  private func fate(_ evaluator: Evaluator) -> PacketFate {
    var outcome = evaluator.run(packet, at: isNodes ? .output : .prerouting)
    var steps = outcome.steps
    if let end = outcome.verdict.end { return end }
    let isLocal = locals.contains(outcome.packet.destination) || outcome.packet.destination.isLoopback
    // Packets of the node itself only come in again if they go to one of its addresses.
    if !isNodes || isLocal {
      outcome = evaluator.run(outcome.packet, at: isLocal ? .input : .forward)
      steps += outcome.steps
      if let end = outcome.verdict.end { return end }
    }
    let isTranslated = steps.contains { $0.rule.statements.contains(where: \.isTranslation) }
    if isTranslated, case .transport(_, _, let port) = outcome.packet.payload {
      return .to(outcome.packet.destination.description(port: port), masqueraded: outcome.packet.mark & 0x4000 != 0)
    }
    return steps.contains { $0.rule.statements == [.accept] } ? .accepted : .untouched
  }
}

extension Table {
  /// The table without the first random rules of each chain. The evaluator takes the first random rule that it meets.
  fileprivate func skipping(_ count: Int) -> Table {
    var table = self
    for index in table.chains.indices {
      var left = count
      table.chains[index].rules.removeAll { rule in
        guard rule.isRandom, left > 0 else { return false }
        left -= 1
        return true
      }
    }
    return table
  }
}

extension Rule {
  fileprivate var isRandom: Bool {
    matches.contains { if case .random = $0 { true } else { false } }
  }
}

extension Statement {
  fileprivate var isTranslation: Bool { if case .dnat = self { true } else { false } }
}

extension Outcome.Verdict {
  /// `nil` if the packet goes on.
  fileprivate var end: PacketFate? {
    switch self {
    case .accept: nil
    case .drop: .dropped
    case .reject: .refused
    }
  }
}
