// Not covered: what the rules of such a cluster do. ProgramTests runs a small one with packets.
import Manifests
import NetpolModel
import Testing
import Worlds

/// How large a generated cluster is.
private struct Size: CustomStringConvertible, Sendable {
  let pods: Int
  let policies: Int
  let nodes: Int
  var families: [IPFamily] = [.v4]
  var seed: UInt64 = 1

  var description: String { "\(pods) pods, \(policies) policies, \(nodes) nodes, \(families), seed \(seed)" }
  var cluster: GeneratedCluster {
    GeneratedCluster(pods: pods, policies: policies, nodes: nodes, families: families, seed: seed)
  }

  static let small = [
    Size(pods: 1, policies: 0, nodes: 1), Size(pods: 1, policies: 30, nodes: 2), Size(pods: 2, policies: 1, nodes: 9),
    Size(pods: 30, policies: 12, nodes: 3), Size(pods: 30, policies: 12, nodes: 3, families: [.v4, .v6], seed: 3),
    Size(pods: 25, policies: 7, nodes: 2, families: [.v6]), Size(pods: 150, policies: 400, nodes: 5, seed: 2),
    Size(pods: 300, policies: 60, nodes: 1, seed: 4), Size(pods: 301, policies: 20, nodes: 260, seed: 5),
  ]
}

@Suite("Generated clusters")
struct GeneratedClusterTests {
  /// Each is read once for all tests.
  private static let readings = Dictionary(
    uniqueKeysWithValues: Size.small.map { size in (size.description, Result { try read(size) }) })

  private static func read(_ size: Size) throws -> ManifestReading {
    try readManifests([ManifestSource(name: "cluster.yaml", text: size.cluster.text)])
  }

  private static func reading(_ size: Size) throws -> ManifestReading {
    try readings[size.description]?.get() ?? read(size)
  }

  private static func cluster(_ size: Size) throws -> Cluster { try reading(size).cluster }

  @Test("have exactly as many pods, policies and nodes as asked for", arguments: Size.small)
  fileprivate func counts(size: Size) throws {
    let cluster = try Self.cluster(size)
    #expect(cluster.pods.count == size.pods)
    #expect(cluster.policies.count == size.policies)
    #expect(cluster.nodes.count == size.nodes)
  }

  @Test("are read by an API server's rules without a note or a warning", arguments: Size.small)
  fileprivate func notes(size: Size) throws {
    let notes = try Self.reading(size).notes.map(\.text)
    #expect(notes.isEmpty)
  }

  @Test("are the same for the same numbers, and others for another seed")
  func seeds() {
    let text = Size(pods: 60, policies: 30, nodes: 3).cluster.text
    #expect(Size(pods: 60, policies: 30, nodes: 3).cluster.text == text)
    #expect(Size(pods: 60, policies: 30, nodes: 3, seed: 2).cluster.text != text)
  }

  @Test("are the pieces of their text, one for each object") func pieces() {
    let cluster = Size(pods: 60, policies: 30, nodes: 3).cluster
    let pieces = Array(cluster.pieces)
    #expect(pieces.joined() == cluster.text)
    #expect(pieces.allSatisfy { $0.utf8.count < 40_000 })
  }

  @Test("take numbers outside of the range as the nearest inside") func outside() {
    let least = Size(pods: 1, policies: 0, nodes: 1).cluster.text
    #expect(Size(pods: -5, policies: -1, nodes: 0).cluster.text == least)
  }

  @Test("have pods of 3 to 8 kB", arguments: Size.small)
  fileprivate func podSize(size: Size) {
    let pods = size.cluster.pieces.filter { $0.hasPrefix("- apiVersion: v1\n  kind: Pod\n") }.map(\.utf8.count)
    #expect(pods.count == size.pods)
    #expect(pods.allSatisfy { (3000...8000).contains($0) }, "\(pods.min() ?? 0) to \(pods.max() ?? 0)")
  }

  @Test("name their pods' workloads as users know them") func owners() throws {
    let cluster = try Self.cluster(Size(pods: 200, policies: 0, nodes: 4))
    let owners = Set(
      cluster.pods.map { pod in "\(pod.id.namespace)/\(pod.owner.map { "\($0.kind)/\($0.name)" } ?? "")" })
    let expected = [
      "shop/Deployment/web", "shop/StatefulSet/db", "shop/CronJob/report", "kube-system/Deployment/coredns",
      "ingress/DaemonSet/ingress-controller", "monitoring/DaemonSet/node-exporter",
    ]
    #expect(owners.isSuperset(of: expected), "\(owners.sorted())")
    #expect(!owners.contains { $0.contains("/Job/") || $0.contains("/ReplicaSet/") })
  }

  @Test("have pods in their nodes' pod CIDRs, each with addresses of its own", arguments: Size.small)
  fileprivate func addresses(size: Size) throws {
    let cluster = try Self.cluster(size)
    let pods = cluster.pods.filter { !$0.hostNetwork }
    let addresses = pods.flatMap(\.podIPs)
    #expect(Set(addresses).count == addresses.count)
    #expect(cluster.strayPodAddresses.isEmpty)
    #expect(pods.allSatisfy { $0.podIPs.isEmpty || $0.podIPs.map(\.family) == size.families })
    let outside = cluster.nodes.flatMap(\.podCIDRs) + cluster.settings.serviceCIDRs
    #expect(!cluster.nodes.flatMap(\.addresses).contains { address in outside.contains { $0.contains(address) } })
  }

  @Test("fill their nodes evenly, with wider pod CIDRs if there are many pods or nodes")
  func wide() throws {
    let crowded = try Self.cluster(Size(pods: 300, policies: 0, nodes: 1))
    #expect(crowded.nodes.flatMap(\.podCIDRs).map(\.description) == ["10.42.0.0/23"])
    let many = try Self.cluster(Size(pods: 301, policies: 0, nodes: 260))
    #expect(Set(many.nodes.flatMap(\.podCIDRs).map(\.prefixLength)) == [24])
    #expect(many.nodes.flatMap(\.podCIDRs).allSatisfy { !$0.overlaps(many.settings.serviceCIDRs[0]) })
    let even = try Self.cluster(Size(pods: 200, policies: 0, nodes: 4))
    let loads = Dictionary(grouping: even.pods.compactMap(\.node)) { $0 }.mapValues(\.count)
    #expect(loads.values.allSatisfy { (40...60).contains($0) }, "\(loads)")
  }

  @Test("have the EndpointSlices that the controller would make, with at most 100 endpoints each")
  func slices() throws {
    for size in [
      Size(pods: 200, policies: 0, nodes: 4, families: [.v4, .v6]), Size(pods: 490, policies: 0, nodes: 120),
    ] {
      let cluster = try Self.cluster(size)
      #expect(cluster.endpointSlices.allSatisfy { $0.members.count <= 100 })
      for service in cluster.services where service.selector?.isEmpty == false {
        let pods = cluster.pods.filter { service.selects($0) && !$0.phase.isTerminal && !$0.podIPs.isEmpty }
        let members = cluster.endpointSlices.filter {
          $0.id.namespace == service.id.namespace && $0.service == service.id.name
        }.flatMap(\.members)
        #expect(Set(members.map(\.address)) == Set(pods.flatMap(\.podIPs)), "\(service.id)")
        #expect(
          Set(members.filter(\.isReady).compactMap(\.pod)) == Set(pods.filter(\.isReady).map(\.id)), "\(service.id)")
      }
    }
  }

  @Test("have what real clusters have") func variety() throws {
    let cluster = try Self.cluster(Size(pods: 400, policies: 400, nodes: 6, seed: 3))
    let rules = cluster.policies.flatMap { $0.ingress + $0.egress }
    let ports = rules.flatMap(\.ports.list)
    let selectors = rules.flatMap(\.peers.list).compactMap { peer in
      if case .pods(let scope, let pods) = peer { (scope, pods) } else { nil }
    }
    let blocks = rules.flatMap(\.peers.list).compactMap { peer in
      if case .block(let block) = peer { block } else { nil }
    }
    let counts: [(String, Int)] = [
      ("finished pods with an address", cluster.pods.count { $0.phase == .succeeded && !$0.podIPs.isEmpty }),
      ("pending pods", cluster.pods.count { $0.phase == .pending }),
      ("unready pods", cluster.pods.count { $0.phase == .running && !$0.isReady }),
      ("host-network pods", cluster.pods.count(where: \.hostNetwork)),
      ("headless Services", cluster.services.count { $0.kind == .clusterIP && $0.clusterIPs.isEmpty }),
      ("NodePorts", cluster.services.count { $0.kind == .nodePort }),
      ("balancers", cluster.services.count { $0.kind == .loadBalancer && !$0.loadBalancerIPs.isEmpty }),
      ("named ports", ports.count { if case .name = $0.number { true } else { false } }),
      ("ranges", ports.count { if case .number(_, _?) = $0.number { true } else { false } }),
      ("UDP", ports.count { $0.transport == .udp }),
      ("excepts", blocks.count { !$0.except.isEmpty }),
      ("expressions", selectors.count { !$0.1.matchExpressions.isEmpty }),
      ("namespace selectors", selectors.count { if case .matching = $0.0 { true } else { false } }),
      ("policies for whole namespaces", cluster.policies.count(where: \.podSelector.isEverything)),
    ]
    for (name, count) in counts { #expect(count > 0, "\(name)") }
    #expect(counts[1].1 < 20)
    let dns = cluster.service(NamespacedName("kube-system", "kube-dns"))
    #expect(dns?.clusterIPs.map(\.description) == ["10.43.0.10"])
  }

  @Test("with few policies protect some namespaces well") func few() throws {
    let cluster = try Self.cluster(Size(pods: 200, policies: 12, nodes: 4))
    let defaultDeny = cluster.policies.filter { $0.podSelector.isEverything && $0.ingress.isEmpty && $0.egress.isEmpty }
    #expect((2...6).contains(defaultDeny.count))
    #expect(cluster.policies.contains { $0.id.name == "db-from-clients" })
  }

  @Test("have policies with selectors that select pods") func selected() throws {
    let cluster = try Self.cluster(Size(pods: 200, policies: 300, nodes: 4))
    for policy in cluster.policies {
      let selects = cluster.pods.contains {
        $0.id.namespace == policy.id.namespace && policy.podSelector.matches($0.labels)
      }
      #expect(selects, "\(policy.id)")
    }
  }
}
