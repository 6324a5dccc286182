// Not covered: what session affinity does with later packets.
import Evaluator
import NetpolModel
import RuleIR
import ServiceProxy
import TestSupport
import Testing

@Suite("Packet flows of kube-proxy's own tests") struct KubeProxyFlowTests {
  @Test(
    "the rules send each packet to the endpoints that kube-proxy may choose, and stop those that it stops",
    arguments: KubeProxyMode.all)
  func flows(mode: KubeProxyMode) throws {
    for world in ProxyWorld.all(mode) {
      let rules = try rules(of: world, mode)
      for flow in world.flows {
        guard let expected = flow.fates(mode, in: world) else { continue }
        #expect(try Tracer(rules, world, flow).fates() == expected, "\(world.world): \(flow.name)")
      }
    }
  }

  private func rules(of world: ProxyWorld, _ mode: KubeProxyMode) throws -> Ruleset {
    let view = try view(of: world, mode)
    return switch mode {
    case .iptables: Ruleset(tables: serviceProxyTables(view))
    case .nftables(let release): kubeProxyNftables(view, release)
    }
  }

  /// What kube-proxy sees of the world.
  private func view(of world: ProxyWorld, _ mode: KubeProxyMode) throws -> ProxyView {
    let node = try world.node()
    return ProxyView(
      node: node.name, zone: node.zone, nodeAddresses: node.addresses,
      interfaceAddresses: try world.proxy.localIPs.map(Fixture.address),
      families: [try #require(IPFamily(rawValue: world.proxy.family))], clusterCIDRs: try world.clusterCIDRs(),
      services: try world.apiServices(), endpointSlices: try world.apiSlices(), endpointChoice: .random,
      flags: try #require(try world.kubeProxy(mode)), serviceCIDRs: try world.serviceCIDRs())
  }

  @Test("no flow is left out", arguments: [(KubeProxyMode.iptables, 86, 341), (.nftables(.latest), 82, 328)])
  func completeness(mode: KubeProxyMode, worlds: Int, flows: Int) {
    #expect(ProxyWorld.all(mode).count == worlds)
    #expect(
      ProxyWorld.all(mode).map { world in world.flows.count { $0.fates(mode, in: world) != nil } }.reduce(0, +) == flows
    )
  }

  @Test(
    "only up to 1.33 is something else expected than the file says, of the node's own packets and of free addresses")
  func exceptions() {
    let counts = { (isOne: (ProxyWorld.Flow, KubeProxyMode, ProxyWorld) -> Bool) in
      KubeProxyMode.all.map { mode in
        ProxyWorld.all(mode).map { world in world.flows.count { isOne($0, mode, world) } }.reduce(0, +)
      }
    }
    let dropped = counts { $0.isDropped(by: $1, in: $2) }
    #expect(dropped[1] > 0 && dropped[2] == dropped[1] && dropped.count { $0 > 0 } == 2, "\(dropped)")
    let leftAlone = counts { $0.isLeftAlone(by: $1, in: $2) }
    #expect(leftAlone[1] > 0 && leftAlone.count { $0 > 0 } == 1, "\(leftAlone)")
  }
}

/// Follows one packet through a node's rules, in all ways that their random choices allow.
private struct Tracer {
  /// The rules once for each choice.
  private let choices: [Evaluator]
  private let packet: Packet
  private let isNodes: Bool
  private let locals: Set<IPAddress>

  init(_ rules: Ruleset, _ world: ProxyWorld, _ flow: ProxyWorld.Flow) throws {
    let source = try Fixture.address(flow.from.ip)
    packet = Packet(
      from: source, to: try Fixture.address(flow.to),
      .transport(try flow.transport(), source: 40000, destination: flow.port))
    isNodes = flow.from.isNodes
    // A node sends from a load balancer's address only if it has it.
    let locals = Set(try world.proxy.localIPs.map(Fixture.address)).union(isNodes ? [source] : [])
    self.locals = locals
    let most = rules.tables.flatMap(\.chains).map { max($0.rules.count(where: \.isRandom), $0.mostChoices) }.max() ?? 0
    choices = try (0...most).map { skipped in
      var chosen = rules
      chosen.tables = rules.tables.map { $0.skipping(skipped) }
      return try Evaluator(chosen, localAddresses: locals)
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
    let isTranslated = steps.contains { $0.rule.statements.contains(where: \.translatesDestination) }
    if isTranslated, case .transport(_, _, let port) = outcome.packet.payload {
      let isMasqueraded = evaluator.run(outcome.packet, at: .postrouting).steps.contains {
        $0.rule.statements.contains(.masquerade(randomFully: true))
      }
      return .to(outcome.packet.destination.description(port: port), masqueraded: isMasqueraded)
    }
    return steps.contains { $0.rule.statements == [.accept] } ? .accepted : .untouched
  }
}

extension Table {
  /// The table without the first random rules of each chain, and without the first choices of each rule, except the last.
  /// The evaluator takes the first random rule that it meets, and the first choice of a rule.
  fileprivate func skipping(_ count: Int) -> Table {
    var table = self
    for index in table.chains.indices {
      var left = count
      table.chains[index].rules.removeAll { rule in
        guard rule.isRandom, left > 0 else { return false }
        left -= 1
        return true
      }
      for rule in table.chains[index].rules.indices {
        table.chains[index].rules[rule].statements = table.chains[index].rules[rule].statements.map {
          $0.skipping(count)
        }
      }
    }
    return table
  }
}

extension Chain {
  fileprivate var mostChoices: Int { rules.flatMap(\.statements).map(\.choices).max() ?? 0 }
}

extension Rule {
  fileprivate var isRandom: Bool {
    matches.contains { if case .random = $0 { true } else { false } }
  }
}

extension Statement {
  fileprivate var choices: Int {
    switch self {
    case .gotoRandomly(let chains): chains.count
    case .dnatRandomly(let targets): targets.count
    default: 1
    }
  }

  fileprivate func skipping(_ count: Int) -> Statement {
    let skipped = min(count, choices - 1)
    return switch self {
    case .gotoRandomly(let chains): .gotoRandomly(Array(chains.dropFirst(skipped)))
    case .dnatRandomly(let targets): .dnatRandomly(Array(targets.dropFirst(skipped)))
    default: self
    }
  }
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
