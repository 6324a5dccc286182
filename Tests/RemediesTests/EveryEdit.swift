import NetpolModel
import Oracle

@testable import Remedies

/// Every unit edit over the labels, peers and ports that occur in a cluster, apart from those that can't help a flow:
/// additions that don't hold it.
struct EveryEdit {
  let cluster: Cluster
  let flow: Flow
  private let oracle: Oracle

  init(_ cluster: Cluster, _ flow: Flow) {
    self.cluster = cluster
    self.flow = flow
    oracle = Oracle(cluster)
  }

  private var rules: [NetworkPolicy.Rule] { cluster.policies.flatMap { $0.ingress + $0.egress } }

  private func distinct<T: Hashable>(_ values: [T]) -> [T] {
    var seen: Set<T> = []
    return values.filter { seen.insert($0).inserted }
  }

  /// The sides that the policies of an end can refuse.
  private var sides: [SideExplanation] { oracle.explain(flow).flatMap(\.sides) }

  /// Without labels that take a pod from a Service, or give it one.
  var all: [UnitEdit] { sides.flatMap(additions) + removals + labels.filter(LabelEdits(cluster).isPossible) }

  func additions(_ side: SideExplanation) -> [UnitEdit] {
    guard case .pod(let id) = side.subject.endpoint, let pod = cluster.pod(id), !pod.hostNetwork else { return [] }
    let owner = NetworkPolicy(id: PolicyID(id.namespace, "x"), isolates: [side.direction])
    let direction = side.direction
    let holds = { (peer: NetworkPolicy.Peer) in
      oracle.admissionOfPeer(by: .init(peers: .listed([peer])), of: owner, side.flow, direction) != nil
    }
    var peers = distinct(rules.flatMap(\.peers.list)).filter(holds)
    if case .pod(let peer) = side.peer.endpoint, let other = cluster.pod(peer) {
      let labels = LabelSelector(matchLabels: other.labels)
      peers.append(
        peer.namespace == id.namespace
          ? .pods(in: .own, matching: labels)
          : .pods(in: .matching(.init(matchLabels: ["kubernetes.io/metadata.name": peer.namespace])), matching: labels))
    } else {
      peers.append(.block(.init(CIDR(side.peer.address, prefixLength: side.peer.address.family.bitWidth))))
    }
    peers = distinct(peers).filter(holds)
    var ports = distinct(rules.flatMap(\.ports.list)).filter { oracle.admitsPort(.listed([$0]), side.flow) }
    if let asked = side.flow.transportPort { ports.append(.init(asked.transport, .number(asked.port, through: nil))) }
    let entries =
      peers.flatMap { peer in
        ports.map { NetworkPolicy.Rule(peers: .listed([peer]), ports: .listed([$0])) }
          + [NetworkPolicy.Rule(peers: .listed([peer]))]
      } + ports.map { NetworkPolicy.Rule(ports: .listed([$0])) } + [NetworkPolicy.Rule()]
    var edits: [UnitEdit] = []
    for policy in cluster.policies where policy.id.namespace == id.namespace && policy.podSelector.matches(pod.labels) {
      edits += entries.map { .addRule($0, direction, to: policy.id) }
      for (index, _) in policy.rules(direction).enumerated() {
        let place = UnitEdit.RulePlace(policy.id, direction, index)
        edits += peers.map { .addPeer($0, place) } + ports.map { .addPort($0, place) }
      }
      if !policy.isolates.contains(direction) { edits.append(.addType(direction, policy.id)) }
    }
    let selectors = distinct(cluster.policies.map(\.podSelector) + [LabelSelector(matchLabels: pod.labels)]).filter {
      $0.matches(pod.labels)
    }
    edits += selectors.flatMap { selector in
      entries.map { rule in
        var policy = NetworkPolicy(
          id: PolicyID(id.namespace, "new-\(direction.keyword)"), podSelector: selector, isolates: [direction])
        if direction == .ingress { policy.ingress = [rule] } else { policy.egress = [rule] }
        return .addPolicy(policy)
      }
    }
    return edits
  }

  /// Of policies, types, and of the only peer or port of a rule, which then admits any.
  private var removals: [UnitEdit] {
    cluster.policies.flatMap { policy -> [UnitEdit] in
      var edits: [UnitEdit] = [.removePolicy(policy.id)]
      if policy.isolates.count > 1 { edits += Direction.allCases.map { .removeType($0, policy.id) } }
      for direction in Direction.allCases {
        for (index, rule) in policy.rules(direction).enumerated() {
          let place = UnitEdit.RulePlace(policy.id, direction, index)
          if rule.peers.list.count == 1 { edits.append(.removePeer(0, place)) }
          if rule.ports.list.count == 1 { edits.append(.removePort(0, place)) }
        }
      }
      return edits
    }
  }

  /// Of every pod and namespace at the flow's ends: all keys with all values that occur anywhere.
  private var labels: [UnitEdit] {
    let ends = oracle.explain(flow).flatMap { [$0.sent, $0.arrived] }.flatMap { [$0.source, $0.destination] }
    let pods = distinct(ends).compactMap { if case .pod(let id) = $0 { cluster.pod(id) } else { nil } }.filter {
      !$0.hostNetwork
    }
    let selectors =
      cluster.policies.map(\.podSelector)
      + rules.flatMap(\.peers.list).flatMap { peer -> [LabelSelector] in
        switch peer {
        case .block: []
        case .pods(.own, let pods): [pods]
        case .pods(.matching(let namespaces), let pods): [namespaces, pods]
        }
      }
    var values: [String: Set<String>] = [:]
    for requirement in selectors.flatMap(\.requirements) {
      values[requirement.key, default: []].formUnion(requirement.values)
    }
    for (key, value) in cluster.pods.flatMap(\.labels) + cluster.namespaces.flatMap(\.labels) {
      values[key, default: []].insert(value)
    }
    values["kubernetes.io/metadata.name"] = nil
    return pods.flatMap { pod in
      [
        (UnitEdit.LabelOwner.pod(pod.id), pod.labels),
        (.namespace(pod.id.namespace), cluster.labels(ofNamespace: pod.id.namespace)),
      ]
      .flatMap { owner, labels in
        values.flatMap { key, values in
          (values.map(Optional.some) + [nil]).filter { $0 != labels[key] }.map {
            UnitEdit.label(owner, key: key, value: $0)
          }
        }
      }
    }
  }
}
