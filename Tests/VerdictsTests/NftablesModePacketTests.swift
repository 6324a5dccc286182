// Not covered: client affinity (the tenth difference), which is not lowered.
import Apply
import Enforcement
import EngineComparison
import Evaluator
import Foundation
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import RuleIR
import StandingLab
import TestSupport
import Testing
import Verdicts

/// What becomes of a packet.
private enum Fate: Hashable, CustomStringConvertible {
  /// Answered by this address.
  case answered(String)
  /// An ICMP error comes back.
  case refused
  case dropped
  /// kube-proxy leaves it alone, and no machine has its address.
  case nobodys

  var description: String {
    switch self {
    case .answered(let address): "answered by \(address)"
    case .refused: "refused"
    case .dropped: "dropped"
    case .nobodys: "nobody"
    }
  }

  /// `nil` for an unknown text.
  init?(_ text: String) {
    switch text {
    case "refused": self = .refused
    case "dropped": self = .dropped
    case "nobody": self = .nobodys
    case _ where text.hasPrefix("answered by "): self = .answered(String(text.dropFirst(12)))
    default: return nil
    }
  }
}

/// A file of examples/kube-proxy-modes: a world in nftables mode and a packet whose fate depends on the mode.
private struct Difference: CustomTestStringConvertible, Sendable {
  let file: URL
  var testDescription: String { file.deletingPathExtension().lastPathComponent }

  static let all: [Difference] =
    ((try? FileManager.default.contentsOfDirectory(
      at: repository.appendingPathComponent("examples/kube-proxy-modes"), includingPropertiesForKeys: nil)) ?? [])
    .filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }.map(Difference.init)

  private func text() throws -> String { try String(contentsOf: file, encoding: .utf8) }

  /// The text of a head line, such as `# nftables: refused`.
  func head(_ label: String) throws -> String? {
    try text().split(separator: "\n").first { $0.hasPrefix("# \(label): ") }
      .map { String($0.dropFirst(label.count + 4)) }
  }

  func cluster(_ mode: KubeProxyMode) throws -> Cluster {
    var cluster = try readWorld(try text())
    cluster.settings.kubeProxy.mode = mode
    return cluster
  }

  /// The mode that the file states.
  func stated() throws -> KubeProxyMode { try readWorld(try text()).settings.kubeProxy.mode }

  /// `app/client 10.42.0.6 -> service/app/web 10.43.0.80 TCP/81`
  func flow() throws -> Flow {
    let shown = try head("shows")
    let words = try #require(shown).split(separator: " ").map(String.init)
    let endpoint = { (name: String) in try #require(Endpoint(EndpointReference(name))) }
    let port = try #require(words[5].split(separator: "/").last.flatMap { UInt16($0) })
    return Flow(
      from: try endpoint(words[0]), try #require(IPAddress(words[1])), to: try endpoint(words[3]),
      try #require(IPAddress(words[4])), .port(TransportPort(.tcp, port)))
  }

  func fate(_ mode: KubeProxyMode) throws -> Fate {
    let text = try head(mode.keyword)
    return try #require(text.flatMap(Fate.init))
  }

  func hasFirewall() throws -> Bool { try head("firewall") != nil }
}

@Suite("kube-proxy's modes with real packets", .serialized, .needsNamespaces) struct NftablesModePacketTests {
  /// What the engines say of a flow, and what became of its packet.
  private struct Answer: Sendable {
    let comparison: Comparison
    let fate: Fate
  }

  /// `drops`: node1 has a firewall whose policy for forwarded packets is to drop them.
  private func ask(_ flow: Flow, in cluster: Cluster, withFirewall drops: Bool = false) async throws -> Answer {
    try await blocking {
      let lab = try LoadedFabric(cluster) { node, rules in
        drops && node == "node1" ? rules.droppingForwarded : rules
      }
      let (plan, worker, fabric) = (lab.plan, lab.worker, lab.fabric)
      let observation = try #require(try KernelEngine(fabric).observe([flow], backends: lab.backends.endpoints).first)
      let namespace = try #require(fabric.namespace(ofNode: "node1"))
      let entries = try worker.run(in: namespace) { try ConntrackEntry.list(in: NetlinkSocket(.netfilter)) }
      let entry = entries.last {
        $0.original.destination == flow.destinationAddress.bytes && $0.original.destinationPort == flow.port
          && $0.original.source == flow.sourceAddress.bytes
      }
      let comparison = plan.comparer.compare(flow, observation)
      let fate: Fate =
        switch observation {
        case .delivered: .answered(entry?.reply.source.map(String.init).joined(separator: ".") ?? "?")
        case .refused(.icmp(type: 3, code: 3)): .refused
        case .silent where comparison.journey.end.noRoute == nil: .dropped
        default: .nobodys
        }
      return Answer(comparison: comparison, fate: fate)
    }
  }

  @Test("each difference shows, and the engines agree about it in both modes", arguments: Difference.all)
  private func difference(given: Difference) async throws {
    let flow = try given.flow()
    for mode in [KubeProxyMode.iptables, try given.stated()] {
      let (fate, cluster) = (try given.fate(mode), try given.cluster(mode))
      if try given.hasFirewall() {
        let stopped = try await ask(flow, in: cluster, withFirewall: true)
        #expect(stopped.fate == fate, "\(mode.keyword)")
        // The engines know of no firewall.
        let (free, usual) = (try await ask(flow, in: cluster), try given.fate(.iptables))
        #expect(free.fate == usual, "\(mode.keyword)")
        continue
      }
      let answer = try await ask(flow, in: cluster)
      #expect(answer.fate == fate, "\(mode.keyword)")
      #expect(!answer.comparison.isFailure(strict: true), "\(mode.keyword): \(answer.comparison.finding)")
      let stop = answer.comparison.journey.stop
      #expect((stop == .dropped) == (fate == .dropped), "\(mode.keyword)")
      #expect((stop == .portUnreachable) == (fate == .refused), "\(mode.keyword)")
      if case .nobodys = fate { #expect(answer.comparison.journey.end.noRoute != nil, "\(mode.keyword)") }
    }
  }

  @Test("every difference that first packets can show has an example")
  func complete() {
    #expect(Difference.all.map(\.testDescription) == ["1", "2", "3", "4", "5", "6", "8", "9"])
  }

  @Test("what only the old releases drop is delivered by the others")
  func mended() async throws {
    let given = try #require(Difference.all.last)
    for release in [KubeProxyRelease.v34, .v36] {
      let answer = try await ask(try given.flow(), in: try given.cluster(.nftables(release)))
      let usual = try given.fate(.iptables)
      #expect(answer.fate == usual && answer.comparison.finding == .agreement)
    }
  }

  @Test("up to 1.32, which doesn't know the service CIDRs, a free address is left alone")
  func unknownCIDRs() async throws {
    let given = Difference.all[1]
    let answer = try await ask(try given.flow(), in: try given.cluster(.nftables(.v32)))
    #expect(answer.fate == .nobodys && !answer.comparison.isFailure(strict: true))
    #expect(answer.comparison.journey.end.noRoute != nil)
  }

  @Test(
    "idle ports and addresses of ClusterIPs are closed to the node itself and to hosts outside too",
    arguments: [("node/node1", "192.168.20.11"), ("external/lan", "192.168.20.50")])
  func senders(name: String, source: String) async throws {
    for (number, fate) in [(0, Fate.refused), (1, .dropped)] {
      let given = Difference.all[number]
      var flow = try given.flow()
      flow.source = try #require(Endpoint(EndpointReference(name)))
      flow.sourceAddress = try #require(IPAddress(source))
      var cluster = try given.cluster(.nftables(.latest))
      cluster.externalHosts = [
        ExternalHost(name: "lan", addresses: [IPAddress(v4: 0xc0a8_1432)], routesToServices: "node1")
      ]
      let answer = try await ask(flow, in: cluster)
      #expect(answer.fate == fate && answer.comparison.finding == .agreement, "\(given.testDescription)")
    }
  }

  @Test("7. packets that belong to no connection are dropped on their way in iptables mode only")
  func strays() throws {
    // Between machines outside: kube-router drops such packets to pods itself.
    let packet = Packet(
      from: IPAddress(v4: 0xc0a8_1432), to: IPAddress(v4: 0xc0a8_143c),
      .transport(.tcp, source: 80, destination: 40000), state: .invalid)
    let given = try #require(Difference.all.first)
    for (mode, isStopped) in [(KubeProxyMode.iptables, true), (.nftables(.latest), false)] {
      let plan = try LabPlan(try given.cluster(mode), .kubeRouterK3s, versionStamp: "1")
      let outcome = plan.enforced.outcome(of: packet, at: Position(node: "node1", hook: .forward))
      #expect((outcome?.verdict == .drop) == isStopped, "\(mode.keyword)")
    }
  }
}

extension Ruleset {
  fileprivate var droppingForwarded: Ruleset {
    var ruleset = self
    for table in ruleset.tables.indices where backend == .iptables && ruleset.tables[table].name == "filter" {
      for chain in ruleset.tables[table].chains.indices where ruleset.tables[table].chains[chain].name == "FORWARD" {
        ruleset.tables[table].chains[chain].base?.policy = .drop
      }
    }
    return ruleset
  }
}
