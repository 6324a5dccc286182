// Not covered: the random choice of kube-proxy; both engines are asked about each endpoint.
import Enforcement
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Oracle
import Path
import Statistics
import TestSupport
import Testing
import Worlds

@Suite("Oracle and kube-proxy's rules agree about services") struct ServiceAgreementTests {
  /// A random world with zones, hints and flags of kube-proxy.
  private static func cluster(_ seed: UInt64) throws -> Cluster {
    var cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
    var random = SplitMix64(seed: seed &+ 1000)
    let zones = ["a", "b"]
    for index in cluster.nodes.indices where random.chance(80) {
      cluster.nodes[index].labels["topology.kubernetes.io/zone"] = random.one(of: zones, else: "a")
    }
    let names = cluster.nodes.map(\.name)
    for slice in cluster.endpointSlices.indices {
      let (hasZones, hasNodes) = (random.chance(60), random.chance(40))
      for member in cluster.endpointSlices[slice].members.indices {
        if hasZones, random.chance(90) {
          cluster.endpointSlices[slice].members[member].zoneHints = [random.one(of: zones, else: "a")]
        }
        if hasNodes, random.chance(90) {
          cluster.endpointSlices[slice].members[member].nodeHints = Set(random.some(1, of: names))
        }
      }
    }
    for index in cluster.services.indices {
      if random.chance(30) { cluster.services[index].internalTrafficPolicy = .local }
      if random.chance(30), cluster.services[index].kind != .clusterIP {
        cluster.services[index].externalTrafficPolicy = .local
      }
    }
    cluster.settings.kubeProxy.masqueradeAll = random.chance(30)
    if random.chance(40) {
      cluster.settings.kubeProxy.nodePortAddresses = random.some(1, of: cluster.nodes.flatMap(\.addresses)).map {
        CIDR($0)
      }
    }
    return cluster
  }

  /// Flows from every machine to every address and port of every service, once for each endpoint that it may have.
  private static func flows(_ cluster: Cluster, _ topology: Topology) -> [Flow] {
    let sources =
      cluster.pods.map { Endpoint.pod($0.id) } + cluster.nodes.map { .node($0.name) }
      + cluster.externalHosts.map { .external($0.name) }
    var flows: [Flow] = []
    for service in cluster.services {
      for port in service.ports {
        let front = TransportPort(port.transport, port.port)
        var targets = service.clusterIPs.map { (Endpoint.service(service.id), $0, front) }
        targets += service.announcedAddresses.map { (.virtualAddress(service.id, $0), $0, front) }
        if let number = port.nodePort {
          for node in cluster.nodes {
            targets += node.addresses.map { (.node(node.name), $0, TransportPort(port.transport, number)) }
          }
        }
        for (target, address, number) in targets {
          let asked = sources.compactMap { source in
            topology.flow(from: source, to: target, number, address.family, destinationAddress: address)
          }
          let choices = cluster.slices(of: service.id).targets(of: port, address.family)
          let networks = cluster.settings.kubeProxy.nodePortAddresses.filter { $0.family == address.family }
          var isTranslated = true
          if case .node = target { isTranslated = networks.isEmpty || networks.contains { $0.contains(address) } }
          if choices.count < 2 || !isTranslated {
            flows += asked
          } else {
            for var flow in asked {
              for choice in choices {
                flow.chosen = choice
                flows.append(flow)
              }
            }
          }
        }
      }
    }
    return flows
  }

  /// The same endpoint, or the node for a pod that has the node's address.
  private static func machine(_ endpoint: Endpoint, in cluster: Cluster) -> Endpoint {
    guard case .pod(let id) = endpoint, let pod = cluster.pod(id), pod.hostNetwork, let node = pod.node else {
      return endpoint
    }
    return .node(node)
  }

  @Test("in random worlds with hints, local policies and flags: verdicts as predicted, and the same endpoint")
  func worlds() throws {
    var delivered = 0
    var stopped = 0
    var notChosen = 0
    for seed in 0..<UInt64(60) {
      let cluster = try Self.cluster(seed)
      let topology = Topology(cluster)
      let styles = EnforcementStyle.all
      let style = styles[Int(seed) % styles.count]
      let comparer = Comparer(cluster, try EnforcedCluster(cluster, topology, style, versionStamp: "1"))
      for flow in Self.flows(cluster, topology) {
        let comparison = comparer.compare(flow, nil)
        if comparison.finding == .notChosen {
          notChosen += 1
          continue
        }
        #expect(!comparison.isFailure(strict: false), "seed \(seed), \(style.name): \(flow): \(comparison.finding)")
        switch comparison.journey.end {
        case .delivered(let end):
          delivered += 1
          let resolved = comparer.oracle.resolve(flow)
          guard resolved.intermediary != nil, !resolved.isRefused else { continue }
          let expected = Self.machine(resolved.arrived.destination, in: cluster)
          #expect(Self.machine(end, in: cluster) == expected, "seed \(seed), \(style.name): \(flow)")
        case .stopped: stopped += 1
        case .noRoute: break
        }
      }
    }
    #expect(delivered > 1000 && stopped > 1000 && notChosen > 100, "\(delivered), \(stopped), \(notChosen)")
  }

  /// A balancer's address that node1 has itself, where a pod has a host port of the same number.
  private static func taken(_ mode: KubeProxyMode, _ mapping: HostPortMapping, endpoint: Bool) throws -> Cluster {
    var cluster = try readWorld(
      twoNodesText("externalHosts: [{name: lan, addresses: [192.168.20.50]}]")
        + podText(
          "app/host", on: "node1", labels: "app: host", ports: ["containerPort: 8080, hostPort: 80"],
          status: "podIP: 10.42.0.5, hostIP: 192.168.20.11, phase: Running")
        + podText(
          "app/web", on: "node2", labels: "app: web", ports: ["containerPort: 80"],
          status: "podIP: 10.42.1.7, hostIP: 192.168.20.12, phase: Running") + """
          apiVersion: v1
          kind: Service
          metadata: {namespace: app, name: web}
          spec:
            type: LoadBalancer
            externalTrafficPolicy: Local
            clusterIP: 10.43.0.80
            selector: {app: \(endpoint ? "web" : "none")}
            loadBalancerSourceRanges: [192.168.20.11/32]
            ports: [{port: 80, nodePort: 30080}]
          status: {loadBalancer: {ingress: [{ip: 192.168.20.11}]}}
          ---

          """)
    cluster.settings.kubeProxy.mode = mode
    cluster.settings.hostPorts = mapping
    return cluster
  }

  @Test(
    "a host port at a balancer's address gets what the service leaves, but in nftables mode not what the ranges drop",
    arguments: [KubeProxyMode.iptables] + KubeProxyRelease.allCases.map { .nftables($0) },
    [HostPortMapping.portmap, .portmapNftables])
  func hostPorts(mode: KubeProxyMode, mapping: HostPortMapping) throws {
    let address = IPAddress(v4: 0xc0a8_140b)
    for endpoint in [true, false] {
      let cluster = try Self.taken(mode, mapping, endpoint: endpoint)
      let topology = Topology(cluster)
      let comparer = Comparer(
        cluster, try EnforcedCluster(cluster, topology, .kubeRouterK3s, versionStamp: "1"))
      for source in [Endpoint.external("lan"), .node("node1"), .pod(PodID("app", "web"))] {
        let flow = try #require(
          topology.flow(
            from: source, to: .virtualAddress(NamespacedName("app", "web"), address), .port(TransportPort(.tcp, 80)),
            .v4, toItself: true))
        let comparison = comparer.compare(flow, nil)
        #expect(comparison.finding == .agreement, "\(source), \(endpoint): \(comparison.finding)")
        let isOut = source == .external("lan") && mode.isNftables
        if source == .external("lan") { #expect((comparison.evaluated == .deny) == isOut, "\(endpoint)") }
      }
    }
  }

  @Test(
    "an endpoint with the balancer's own address and port is closed in iptables mode only", arguments: [true, false])
  func unchanged(isIptables: Bool) throws {
    let mode = isIptables ? "iptables" : "nftables"
    let text = try String(
      contentsOf: repository.appendingPathComponent("examples/deviations/D24.yaml"), encoding: .utf8
    ).replacing("externalHosts:", with: "kubeProxy: {mode: \(mode)}\nexternalHosts:")
    let cluster = try readWorld(text)
    let topology = Topology(cluster)
    let address = try #require(IPAddress("192.168.20.11"))
    let flow = try #require(
      topology.flow(
        from: .external("lan"), to: .virtualAddress(NamespacedName("app", "edge"), address), TransportPort(.tcp, 80),
        .v4))
    for style in EnforcementStyle.all {
      let enforced = try EnforcedCluster(cluster, topology, style, versionStamp: "1")
      let comparison = Comparer(cluster, enforced).compare(flow, nil)
      #expect(comparison.finding == (isIptables ? .deviation([.dropsUntranslatable]) : .agreement), "\(style.name)")
    }
  }
}
