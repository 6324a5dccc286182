internal import NetpolModel

/// Local pods that the policies of one direction treat alike: the same policies isolate them, and the named ports of
/// those policies have the same numbers on them.
struct PolicyGroup {
  /// Identifies the group. No other group has this text, whatever changes elsewhere in the cluster.
  let text: String
  let direction: Direction
  let policies: [NetworkPolicy]
  var pods: [Pod]

  /// Whether a rule allows everything for the pods that it selects, even if it selects none at the moment.
  var hasOpenPeers: Bool {
    policies.flatMap { $0.rules(direction) }.contains { rule in
      rule.ports == .all && rule.peers.list.contains { if case .pods = $0 { true } else { false } }
    }
  }

  /// Returns the groups of the node's pods that some policy isolates, sorted by text.
  static func all(_ direction: Direction, _ policies: [NetworkPolicy], _ inhabitants: inout Inhabitants)
    -> [PolicyGroup]
  {
    let local = Dictionary(inhabitants.local.map { ($0.id, $0) }) { first, _ in first }
    var policiesOf: [PodID: [NetworkPolicy]] = [:]
    for policy in policies where policy.isolates.contains(direction) {
      for pod in inhabitants.pods(.own, policy.podSelector, from: policy.id.namespace) where local[pod.id] != nil {
        policiesOf[pod.id, default: []].append(policy)
      }
    }
    var groups: [String: PolicyGroup] = [:]
    for pod in inhabitants.local {
      guard let policies = policiesOf[pod.id] else { continue }
      let text = text(direction, policies, pod)
      groups[text, default: PolicyGroup(text: text, direction: direction, policies: policies, pods: [])].pods.append(
        pod)
    }
    return groups.values.sorted { $0.text < $1.text }
  }

  private static func text(_ direction: Direction, _ policies: [NetworkPolicy], _ pod: Pod) -> String {
    var text = "\(direction.keyword) \(policies.map(\.id.description).joined(separator: " "))"
    // For ingress, the pod's own named ports count. For egress, those of its peer.
    let names = direction == .ingress ? Set(policies.flatMap(\.ingress).flatMap(\.ports.names)).sorted() : []
    for name in names {
      for transport in Transport.allCases {
        for number in pod.numbers(named: name, transport).sorted() {
          text += " \(name)=\(transport.rawValue)/\(number)"
        }
      }
    }
    return text
  }
}

/// What a group's policies allow in one family: for each peer address, and for every peer.
struct Admissions {
  private(set) var everyone = PortSet()
  /// By peer address: what pod selectors allow, and what the named ports of that pod allow.
  private(set) var pods: [IPAddress: PortSet] = [:]
  private(set) var blocks = AddressSegments([])

  init(_ group: PolicyGroup, _ family: IPFamily, _ inhabitants: inout Inhabitants) {
    var blocks: [(block: NetworkPolicy.IPBlock, ports: PortSet)] = []
    for policy in group.policies {
      for rule in policy.rules(group.direction) {
        // Leaves out the named ports of an egress rule, because each peer may give them another number.
        let ports = PortSet(rule.ports, of: group.direction == .ingress ? group.pods.first : nil)
        let named = group.direction == .egress ? inhabitants.pods(naming: rule.ports) : []
        let isNamed = group.direction == .egress && !rule.ports.names.isEmpty
        switch rule.peers {
        case .any:
          everyone.formUnion(ports)
          for pod in named { admit(pod, PortSet(rule.ports, of: pod), family) }
        case .listed(let peers):
          for peer in peers {
            switch peer {
            case .pods(let scope, let selector):
              for pod in inhabitants.pods(scope, selector, from: policy.id.namespace) {
                admit(pod, isNamed ? PortSet(rule.ports, of: pod) : ports, family)
              }
            case .block(let block) where block.cidr.family == family:
              blocks.append((block, ports))
              for pod in named { admit(pod, PortSet(rule.ports, of: pod), family, in: block) }
            case .block: break
            }
          }
        }
      }
    }
    self.blocks = AddressSegments(blocks)
  }

  private mutating func admit(
    _ pod: Pod, _ ports: PortSet, _ family: IPFamily, in block: NetworkPolicy.IPBlock? = nil
  ) {
    if ports.isEmpty { return }
    for address in pod.podIPs where address.family == family && block?.contains(address) ?? true {
      pods[address, default: PortSet()].formUnion(ports)
    }
  }
}
