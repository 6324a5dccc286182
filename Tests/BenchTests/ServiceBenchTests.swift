import NetpolModel
import RuleIR
import ServiceProxy
import Testing

@testable import Bench

@Suite("Bench of kube-proxy's modes: worlds, flows and changes") struct ServiceBenchTests {
  @Test(
    "every Service has a ClusterIP, a NodePort and its endpoints in the rules of each mode",
    arguments: ProxyRules.modes, [1, 3])
  func rules(_ mode: KubeProxyMode, _ endpoints: Int) {
    let world = ServiceWorld(services: 5, endpoints: endpoints)
    let ruleset = ServiceWorld.ruleset(world.view(mode))
    let statements = ruleset.tables.flatMap(\.chains).flatMap(\.rules).flatMap(\.statements)
    let translations = statements.reduce(0) { sum, statement in
      switch statement {
      case .dnat: sum + 1
      case .dnatRandomly(let destinations): sum + destinations.count
      default: sum
      }
    }
    #expect(translations == 5 * endpoints)
    switch mode {
    case .iptables:
      let nat = ruleset.tables.filter { $0.name == "nat" }
      #expect(nat.flatMap { $0.chain("KUBE-SERVICES")?.rules ?? [] }.count == 5 + 1)
      #expect(nat.flatMap { $0.chain("KUBE-NODEPORTS")?.rules ?? [] }.count == 5)
    case .nftables:
      for map in ["service-ips", "service-nodeports"] {
        #expect(ruleset.keyedSets.first { $0.name == map }?.elements.count == 5)
      }
    }
  }

  @Test("endpoints are chosen at random, as kube-proxy does, not by the lab's code points", arguments: ProxyRules.modes)
  func random(_ mode: KubeProxyMode) {
    let ruleset = ServiceWorld.ruleset(ServiceWorld(services: 2, endpoints: 2).view(mode))
    let matches = ruleset.tables.flatMap(\.chains).flatMap(\.rules).flatMap(\.matches)
    #expect(!matches.contains { if case .codePoint = $0 { true } else { false } })
  }

  @Test(
    "packets go to the first Service, to the last, or to each once",
    arguments: [
      (ServiceProbe.Target.first, ["10.96.0.10"]), (.last, ["10.96.0.13"]),
      (.any, ["10.96.0.10", "10.96.0.11", "10.96.0.12", "10.96.0.13"]),
    ])
  func targets(_ target: ServiceProbe.Target, _ addresses: [String]) {
    let world = ServiceWorld(services: 4)
    let flows = world.flows(ServiceProbe(.clusterIP, target), direct: false, seed: 1)
    #expect(flows.map { "\($0.destination)" }.sorted() == addresses)
    #expect(flows.allSatisfy { $0.port == 80 && $0.transport == .tcp })
    let nodePorts = world.flows(ServiceProbe(.nodePort, target), direct: false, seed: 1)
    #expect(nodePorts.allSatisfy { $0.destination == world.addresses.node && (30_000...30_003).contains($0.port) })
    let direct = world.flows(ServiceProbe(.nodePort, target), direct: true, seed: 1)
    #expect(direct.count == flows.count && direct.allSatisfy { $0.port == ServiceWorld.targetPort })
  }

  @Test("the seed decides the order of Services, which is the same for every ruleset") func seeds() {
    let world = ServiceWorld(services: 50)
    let order = { (seed: UInt64, direct: Bool) in
      world.flows(ServiceProbe(.clusterIP, .any), direct: direct, seed: seed).map(\.destination)
    }
    #expect(order(1, false) == order(1, false) && order(1, false) != order(2, false))
    #expect(order(1, true).first == order(1, false).first.map { world.addresses.pod(Int($0.bits - 0x0a60_000a)) })
  }

  @Test("in iptables mode a change writes the chains that all Services share, and those of one Service")
  func chainsOfChange() {
    let world = ServiceWorld(services: 9)
    let kinds = Dictionary(grouping: world.chainsOfChange.filter { $0.hasPrefix("KUBE-") }) { name in
      ["KUBE-SVC-", "KUBE-SEP-", "KUBE-EXT-"].first { name.hasPrefix($0) } ?? "shared"
    }.mapValues(\.count)
    #expect(kinds["KUBE-SVC-"] == 1 && kinds["KUBE-EXT-"] == 1 && kinds["KUBE-SEP-"] == 2)
    #expect(world.chainsOfChange.isSuperset(of: ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING"]))
  }

  @Test("a change in nftables mode is as large with a hundred Services as with ten") func changes() {
    for services in [10, 100] {
      let world = ServiceWorld(services: services)
      let mode = KubeProxyMode.nftables(.latest)
      let old = ServiceWorld.ruleset(world.view(mode))
      let changes = old.changes(to: ServiceWorld.ruleset(world.view(mode, growth: true)))
      #expect(
        changes.chains.flatMap(\.rewritten).count == 1
          && changes.chains.flatMap { $0.fresh.map(\.name) + $0.gone } == [])
      #expect(changes.elements.flatMap(\.added).count == 1 && changes.elements.flatMap(\.removed).isEmpty)
    }
  }
}
