public import NetpolModel

/// NetworkPolicy v1 on API objects alone: what the specification says of a flow, and why.
///
/// It knows no rule, no chain and no enforcer. Quoted sentences are those of the API reference (networking.k8s.io/v1)
/// and of the Network Policies page of the Kubernetes documentation.
public struct Oracle: Sendable {
  let pods: [PodID: Pod]
  let namespaceLabels: [String: Labels]
  let policies: [String: [NetworkPolicy]]

  public init(_ cluster: Cluster) {
    pods = Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first }
    namespaceLabels = Dictionary(cluster.namespaces.map { ($0.name, $0.labels) }) { first, _ in first }
    policies = Dictionary(grouping: cluster.policies.sorted { $0.id < $1.id }, by: \.id.namespace)
  }

  /// "For a connection from a source pod to a destination pod to be allowed, both the egress policy on the source pod
  /// and the ingress policy on the destination pod need to allow the connection."
  public func judge(_ flow: Flow) -> Judgement {
    // "A Pod cannot block access to itself."
    if flow.sourceAddress == flow.destinationAddress { return Judgement(.allow, because: [.sameEndpoint]) }
    var reasons: [Reason] = []
    for direction in [Direction.egress, .ingress] {
      let side = judge(flow, direction)
      if side.verdict == .deny { return side }
      reasons += side.because
    }
    return Judgement(.allow, because: reasons)
  }

  /// One direction alone: the policies on the source, or those on the destination.
  public func judge(_ flow: Flow, _ direction: Direction) -> Judgement {
    let (subject, peer) = flow.ends(direction)
    guard let pod = selectablePod(subject.endpoint) else {
      return Judgement(.allow, because: [.notIsolated(direction)])
    }
    let isolating = policies(isolating: pod, direction)
    if isolating.isEmpty { return Judgement(.allow, because: [.notIsolated(direction)]) }
    // "Traffic to and from the node where a Pod is running is always allowed." Read as the direction towards the pod:
    // what a pod sends to its node is judged by its egress policies.
    if direction == .ingress, let node = nodeSpeaking(peer.endpoint), node == pod.node {
      return Judgement(.allow, because: [.ownNode(direction)])
    }
    for policy in isolating {
      for (index, rule) in policy.rules(direction).enumerated() {
        if let admission = admission(by: rule, of: policy, flow, direction) {
          return Judgement(
            .allow, because: [.admitted(direction, by: policy.id, rule: index, peer: admission.peer)])
        }
      }
    }
    return Judgement(.deny, because: [.isolated(direction, by: isolating.map(\.id))])
  }
}
