internal import NetpolModel

/// Local pods that one direction's policies treat alike: the same policies isolate them, and the ports that those name
/// have the same numbers.
struct PolicyGroup {
  /// Of nobody else, however the rest of the cluster changes.
  let text: String
  let direction: Direction
  let policies: [NetworkPolicy]
  var pods: [Pod]

  /// Whether a rule admits everything of the pods that it selects, however many they are now.
  var hasOpenPeers: Bool {
    policies.flatMap { $0.rules(direction) }.contains { rule in
      rule.ports == .all && rule.peers.list.contains { if case .pods = $0 { true } else { false } }
    }
  }

  /// The pods of a node that some policy isolates, in the order of texts.
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
    // Towards the pod a name is its own; from the pod it is its peer's.
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

/// What a group's policies admit in one family: by address of the peer, and of everyone.
struct Admissions {
  private(set) var everyone = PortSet()
  /// By address; what pod selectors admit, or the names that a pod gives its ports.
  private(set) var pods: [IPAddress: PortSet] = [:]
  private(set) var blocks = AddressSegments([])

  init(_ group: PolicyGroup, _ family: IPFamily, _ inhabitants: inout Inhabitants) {
    var blocks: [(block: NetworkPolicy.IPBlock, ports: PortSet)] = []
    for policy in group.policies {
      for rule in policy.rules(group.direction) {
        // Without the names of an egress rule, which each peer gives other numbers.
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
