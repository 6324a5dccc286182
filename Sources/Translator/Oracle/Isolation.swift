public import NetpolModel

extension Oracle {
  /// The pod at an end of a flow, if policies can select it. "NetworkPolicies apply to pods", but a host-network pod's
  /// traffic counts as its node's.
  func selectablePod(_ endpoint: Endpoint) -> Pod? {
    guard case .pod(let id) = endpoint, let pod = pods[id], !pod.hostNetwork else { return nil }
    return pod
  }

  /// The node whose address an end uses: the node itself, or the node of a host-network pod.
  public func nodeSpeaking(_ endpoint: Endpoint) -> String? {
    switch endpoint {
    case .node(let name): name
    case .pod(let id): pods[id].flatMap { $0.hostNetwork ? $0.node : nil }
    case .address(let address): nodeOwning(address)
    case .external, .service, .virtualAddress: nil
    }
  }

  /// "A pod is isolated for ingress if there is any NetworkPolicy that both selects the pod and has 'Ingress' in its
  /// policyTypes". The same applies to egress. Sorted by name.
  public func policies(isolating pod: Pod, _ direction: Direction) -> [NetworkPolicy] {
    (policies[pod.id.namespace] ?? []).filter { $0.isolates.contains(direction) && $0.podSelector.matches(pod.labels) }
  }
}
