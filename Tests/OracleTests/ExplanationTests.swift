// Not covered: the sentences, which the report makes, and flows to services: their ends are judged like any others.
import Foundation
import NetpolModel
import Oracle
import Path
import Statistics
import TestSupport
import Testing
import Worlds

/// Tries every condition of every entry, one by one, and counts those that fail. Knows nothing of the oracle but what a
/// policy, a pod and a namespace are.
private struct SlowReference {
  let cluster: Cluster

  func failing(_ peer: NetworkPolicy.Peer, _ end: Flow.End, _ own: String) -> Int {
    switch peer {
    case .block(let block):
      let bits = end.address.family.bitWidth
      let inside = { (cidr: CIDR) in
        guard cidr.family == end.address.family else { return false }
        return (0..<cidr.prefixLength).allSatisfy { bit in
          let shift = UInt128(bits - 1 - bit)
          return end.address.bits >> shift & 1 == cidr.network.bits >> shift & 1
        }
      }
      if !inside(block.cidr) { return 1 }
      return block.except.contains(where: inside) ? 1 : 0
    case .pods(let scope, let selector):
      guard case .pod(let id) = end.endpoint, let pod = cluster.pods.first(where: { $0.id == id }), !pod.hostNetwork
      else { return 1 }
      var count = failing(selector, pod.labels)
      switch scope {
      case .own: count += id.namespace == own ? 0 : 1
      case .matching(let namespaces):
        let labels =
          cluster.namespaces.first { $0.name == id.namespace }?.labels ?? ["kubernetes.io/metadata.name": id.namespace]
        count += failing(namespaces, labels)
      }
      return count
    }
  }

  private func failing(_ selector: LabelSelector, _ labels: Labels) -> Int {
    var count = 0
    for (key, value) in selector.matchLabels where labels[key] != value { count += 1 }
    for expression in selector.matchExpressions {
      let value = labels[expression.key]
      let holds =
        switch expression.operator {
        case .exists: value != nil
        case .doesNotExist: value == nil
        case .in: value != nil && expression.values.contains(value ?? "")
        case .notIn: value == nil || !expression.values.contains(value ?? "")
        }
      if !holds { count += 1 }
    }
    return count
  }

  func failing(_ port: NetworkPolicy.PortRule, _ flow: Flow) -> Int {
    guard case .port(let asked) = flow.question else { return 1 }
    var count = port.transport == asked.transport ? 0 : 1
    switch port.number {
    case .any: break
    case .number(let first, let last): if asked.port < first || asked.port > last ?? first { count += 1 }
    case .name(let name):
      var numbers: [UInt16] = []
      if case .pod(let id) = flow.destination, let pod = cluster.pods.first(where: { $0.id == id }), !pod.hostNetwork {
        numbers = pod.ports.filter { $0.name == name && $0.transport == port.transport }.map(\.number)
      }
      if !numbers.contains(asked.port) { count += 1 }
    }
    return count
  }

  /// The least number of failing conditions of each rule that is in force for the end, by policy and rule.
  func distances(_ flow: Flow, _ direction: Direction) -> [(policy: PolicyID, rule: Int, distance: Int)]? {
    let (subject, peer) = flow.ends(direction)
    guard case .pod(let id) = subject.endpoint, let pod = cluster.pods.first(where: { $0.id == id }), !pod.hostNetwork
    else { return nil }
    let own = cluster.policies.filter { $0.id.namespace == id.namespace }.sorted { $0.id < $1.id }.filter {
      $0.isolates.contains(direction) && failing($0.podSelector, pod.labels) == 0
    }
    if own.isEmpty { return nil }
    return own.flatMap { policy in
      policy.rules(direction).enumerated().map { index, rule in
        let peers = rule.peers.list.map { failing($0, peer, id.namespace) }.min() ?? 0
        let ports = rule.ports.list.map { failing($0, flow) }.min() ?? 0
        return (policy.id, index, peers + ports)
      }
    }
  }
}

@Suite("Why policies admit a flow or not") struct ExplanationTests {
  @Test("the nearest miss, and every verdict, are those of a reference that tries every condition")
  func nearestMiss() throws {
    let environment = ProcessInfo.processInfo.environment
    let wanted = Int(environment["NETPOL_FLOWS"] ?? "") ?? 10_000
    var seed = UInt64(environment["NETPOL_SEED"] ?? "") ?? 28_000
    var (asked, refused, near) = (0, 0, 0)
    while asked < wanted {
      seed += 1
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let (oracle, reference, topology) = (Oracle(cluster), SlowReference(cluster: cluster), Topology(cluster))
      let ends =
        cluster.pods.map { Endpoint.pod($0.id) } + cluster.nodes.map { .node($0.name) }
        + cluster.externalHosts.map { .external($0.name) }
      var random = SplitMix64(seed: seed)
      let numbers: [UInt16] = cluster.pods.flatMap(\.ports).map(\.number) + [80, 443, 9_999]
      for _ in 0..<20 {
        let ports =
          Transport.allCases.map { Flow.Question.port(TransportPort($0, random.one(of: numbers, else: 80))) } + [.echo]
        guard let source = random.one(of: ends), let destination = random.one(of: ends), source != destination,
          let flow = topology.flow(
            from: source, to: destination, random.one(of: ports, else: .echo),
            random.one(of: cluster.families, else: .v4))
        else { continue }
        asked += 1
        for direction in Direction.allCases {
          let explanation = oracle.explain(flow, direction)
          #expect(explanation.verdict == oracle.judge(flow, direction).verdict, "seed \(seed): \(flow) \(direction)")
          let expected = reference.distances(flow, direction)
          let inForce = explanation.policies.filter { $0.standing == .inForce }
          #expect((expected == nil) == inForce.isEmpty, "seed \(seed): \(flow) \(direction)")
          for (policy, rule, distance) in expected ?? [] {
            let told = inForce.first { $0.policy.id == policy }?.rules.first { $0.index == rule }
            #expect(told?.distance == distance, "seed \(seed): \(flow) \(direction): \(policy) rule \(rule)")
            #expect(told?.admits == (distance == 0), "seed \(seed): \(flow) \(direction): \(policy) rule \(rule)")
          }
          // Each list stands in the order of its distances.
          for list in inForce.map({ $0.rules.map(\.distance) }) { #expect(list == list.sorted()) }
          guard explanation.verdict == .deny else { continue }
          refused += 1
          let least = expected?.enumerated().min { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
          #expect(explanation.nearest?.policy == least?.element.policy, "seed \(seed): \(flow) \(direction)")
          #expect(explanation.nearest?.rule == least?.element.rule, "seed \(seed): \(flow) \(direction)")
          #expect(explanation.nearest?.distance == least?.element.distance, "seed \(seed): \(flow) \(direction)")
          if explanation.nearest != nil { near += 1 }
        }
      }
    }
    #expect(refused > wanted / 10 && near > wanted / 20, "\(refused) refused, \(near) with a nearest miss")
  }
}
