public import NetpolModel

/// A rule that admits a flow. `peer` is the index of the matching entry of `from` or `to`. `nil`: the rule admits any
/// peer.
public struct Admission: Hashable, Sendable {
  public let peer: Int?
}

extension Oracle {
  /// `nil` if the rule does not admit the flow. "This rule matches traffic if and only if the traffic matches at least
  /// one item in the from list" and one in ports.
  public func admission(
    by rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ flow: Flow, _ direction: Direction
  ) -> Admission? {
    guard admitsPort(rule.ports, flow) else { return nil }
    return admissionOfPeer(by: rule, of: policy, flow, direction)
  }

  /// Checks only the `from` or `to` part of the rule.
  public func admissionOfPeer(
    by rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ flow: Flow, _ direction: Direction
  ) -> Admission? {
    let end = flow.ends(direction).peer
    switch rule.peers {
    // "If this field is empty or missing, this rule matches all sources (traffic not restricted by source)."
    case .any: return Admission(peer: nil)
    case .listed(let peers):
      return peers.firstIndex { admits($0, end, from: policy.id.namespace) }.map { Admission(peer: $0) }
    }
  }

  func admits(_ peer: NetworkPolicy.Peer, _ end: Flow.End, from namespace: String) -> Bool {
    switch peer {
    case .block(let block): return block.contains(end.address)
    case .pods(let scope, let selector):
      guard let pod = selectablePod(end.endpoint), selector.matches(pod.labels) else { return false }
      switch scope {
      // "the NetworkPolicyPeer … selects the Pods matching podSelector in the policy's own namespace"
      case .own: return pod.id.namespace == namespace
      case .matching(let labels):
        return namespaceLabels[pod.id.namespace].map(labels.matches)
          ?? labels.matches(Namespace(name: pod.id.namespace).labels)
      }
    }
  }

  /// "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)."
  public func admitsPort(_ ports: NetworkPolicy.Ports, _ flow: Flow) -> Bool {
    switch ports {
    case .all: true
    case .listed(let list): list.contains { admits($0, flow) }
    }
  }

  func admits(_ port: NetworkPolicy.PortRule, _ flow: Flow) -> Bool {
    guard let asked = flow.transportPort, port.transport == asked.transport else { return false }
    switch port.number {
    // "If this is not specified, matches all ports" of the protocol.
    case .any: return true
    // "If set, indicates that the range of ports from port to endPort, inclusive, should be allowed."
    case .number(let first, let last): return PortRange(first, last ?? first).contains(asked.port)
    // "The port on the given protocol. This can either be a numerical or named port on a pod", here the destination
    // pod.
    case .name(let name):
      return selectablePod(flow.destination)?.numbers(named: name, asked.transport).contains(asked.port) ?? false
    }
  }
}
