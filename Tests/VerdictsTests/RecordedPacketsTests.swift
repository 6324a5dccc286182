// Not covered: rules that the lowering doesn't write (RecordedVerdictTests, dumps).
import Apply
import EngineComparison
import Foundation
import Kernel
import Lowering
import NetpolModel
import Network
import Path
import RuleIR
import ServiceProxy
import TestSupport
import Testing
import Verdicts

@Suite("Packets of a real node, replayed", .serialized, .needsNamespaces)
struct RecordedPacketsTests {
  /// An evenly spread quarter of the cases. All of them with NETPOL_CONFORMANCE=all, or with folders in NETPOL_GOLDEN.
  static let cases: [GoldenCase] = {
    let environment = ProcessInfo.processInfo.environment
    if environment["NETPOL_CONFORMANCE"] == "all" || environment["NETPOL_GOLDEN"] != nil { return GoldenCase.recorded }
    return GoldenCase.recorded.enumerated().filter { ($0.offset + $0.offset / 12) % 4 == 0 }.map(\.element)
  }()

  /// What existed, whether or not the controller knew it: pods that had finished, addresses without a status.
  private func world(_ recorded: GoldenCase, _ known: Cluster, _ rows: [GoldenCase.Row]) throws -> Cluster {
    var world = known
    let unknown = try recorded.probeAddresses()
    for index in world.pods.indices {
      world.pods[index].phase = .running
      world.pods[index].hostNetwork = false
      if let address = unknown[world.pods[index].id.description] { world.pods[index].podIPs = [address] }
    }
    world.settings.overlay = .hostGateway
    let hosts = Set(rows.flatMap { [$0.src, $0.dst] }.compactMap { GoldenCase.lanAddress($0) })
    world.externalHosts = [ExternalHost(name: "lan", addresses: hosts.sorted(), routesToPods: true)]
    if rows.contains(where: { $0.src.contains("v6") || $0.dst.contains("v6") }) {
      world.nodes[0].addresses += ["fd00:20::11", "2001:db8:20::11", "fc00:20::11"].compactMap { IPAddress($0) }
    }
    return world
  }

  @Test("with our rules the kernel opens exactly what the real controller's rules opened", arguments: cases)
  func agrees(recorded: GoldenCase) async throws {
    let known = try recorded.cluster()
    let rows = try recorded.rows().filter { !$0.src.contains("service") && !$0.dst.contains("service") }
    let world = try world(recorded, known, rows)
    let families: [IPFamily] = rows.contains { $0.src.contains("v6") || $0.dst.contains("v6") } ? [.v4, .v6] : [.v4]
    let topology = Topology(world)
    var view = NodeView(of: try #require(known.node("node1")), in: known)
    view.families = families
    let rules = recorded.style.lower(view).ruleset
    let flows = try rows.map { row in
      try #require(recorded.flow(row, world, topology), "\(row)")
    }
    let observations = try await blocking {
      let worker = try NamespaceWorker()
      let fabric = try Fabric(topology, families: families, bridgeNetfilter: true, worker: worker)
      try RuleLoader(worker: worker).load(rules, in: try #require(fabric.namespace(ofNode: "node1")))
      return try KernelEngine(fabric).observe(flows)
    }
    for (row, observation) in zip(rows, observations) {
      #expect(observation.verdict == (row.verdict == "open" ? .allow : .deny), "\(row): \(observation)")
    }
    #expect(!rows.isEmpty)
  }

  @Test(
    "the same holds through a ClusterIP that kube-proxy's rules translate, for each pod in turn",
    arguments: cases.filter { (try? $0.rows().contains { $0.dst.hasPrefix("(service ") }) ?? false })
  func services(recorded: GoldenCase) async throws {
    let known = try recorded.cluster()
    let rows = try recorded.rows().filter { $0.dst.hasPrefix("(service ") && !$0.src.contains("v6") }
    var world = try world(recorded, known, rows)
    world.pods.removeAll { $0.address(.v4) == nil }
    // Announced too, because the recordings' LAN host sent to the address through node1.
    let front = try #require(IPAddress("10.43.0.10"))
    let ports: [(UInt16, Transport)] = [(53, .tcp), (8080, .tcp), (53, .udp)]
    let id = NamespacedName("recorded", "service")
    world.services = [
      Service(
        id: id, ports: ports.map { .init(name: "\($1)-\($0)", port: $0, targetPort: .number($0), transport: $1) },
        clusterIPs: [IPAddress(v4: 0x0a2b_ff01)], externalIPs: [front])
    ]
    world.settings.loadBalancerAnnouncer = "node1"
    let cluster = world
    let topology = Topology(cluster)
    let policy = recorded.style.lower(NodeView(of: try #require(known.node("node1")), in: known)).ruleset
    let targets = Set(rows.map(\.dst)).sorted()
    try await blocking {
      let worker = try NamespaceWorker()
      let fabric = try Fabric(topology, families: [.v4], bridgeNetfilter: true, worker: worker)
      let loader = try RuleLoader(worker: worker)
      let namespace = try #require(fabric.namespace(ofNode: "node1"))
      for (number, target) in targets.enumerated() {
        let name = target.dropLast().split(separator: " ").last.map { $0.split(separator: "/").map(String.init) } ?? []
        let pod = try #require(cluster.pod(PodID(name[0], name[1])), "\(target)")
        var now = cluster
        now.endpointSlices = [
          EndpointSlice(
            id: id, service: id.name, family: .v4,
            ports: ports.map { .init(name: "\($1)-\($0)", transport: $1, port: $0) },
            members: [.init(try #require(pod.address(.v4)), node: pod.node, pod: pod.id)])
        ]
        let proxy = serviceProxyTables(
          ProxyView(
            of: try #require(now.node("node1")), in: now, clusterCIDRs: [CIDR("10.42.0.0/16")].compactMap { $0 }))
        let all = nodeRulesets(policy: policy, services: proxy.filter { $0.family == .v4 }, flannel: [])
        if number == 0 {
          for rules in all { try loader.load(rules, in: namespace) }
        } else {
          let nat = all.flatMap(\.tables).filter { $0.name == "nat" }
          try loader.load(Ruleset(tables: nat), in: namespace)
        }
        let asked = rows.filter { $0.dst == target }
        let flows = try asked.map { row in
          let parts = row.src.split(separator: "/").map(String.init)
          let from: Endpoint = row.src.hasPrefix("(lan") ? .external("lan") : .pod(PodID(parts[0], parts[1]))
          let transport = try #require(Transport(rawValue: row.proto.uppercased()))
          return try #require(
            topology.flow(
              from: from, to: .virtualAddress(id, front), TransportPort(transport, row.port), .v4,
              sourceAddress: GoldenCase.lanAddress(row.src)), "\(row)")
        }
        let engine = KernelEngine(fabric, timeout: .milliseconds(600))
        let seen = try engine.observe(
          flows, backends: { [.init(.pod(pod.id), pod.address(.v4) ?? $0.destinationAddress, $0.port ?? 0)] })
        for (row, observation) in zip(asked, seen) {
          #expect((observation == .delivered) == (row.verdict == "open"), "\(row): \(observation)")
        }
      }
    }
    #expect(!targets.isEmpty)
  }
}

extension GoldenCase {
  fileprivate func flow(_ row: Row, _ cluster: Cluster, _ topology: Topology) -> Flow? {
    guard let transport = Transport(rawValue: row.proto.uppercased()) else { return nil }
    let isIPv6 = [row.src, row.dst].contains { $0.contains("v6") || $0.contains("::") }
    let endpoint = { (text: String) -> Endpoint? in
      if Self.lanAddress(text) != nil { return .external("lan") }
      if text.hasPrefix("(node") { return .node("node1") }
      let parts = text.replacingOccurrences(of: " v6", with: "").split(separator: "/").map(String.init)
      return parts.count == 2 ? .pod(PodID(parts[0], parts[1])) : nil
    }
    guard let from = endpoint(row.src), let to = endpoint(row.dst) else { return nil }
    return topology.flow(
      from: from, to: to, TransportPort(transport, row.port), isIPv6 ? .v6 : .v4,
      sourceAddress: Self.lanAddress(row.src), destinationAddress: Self.lanAddress(row.dst))
  }
}
