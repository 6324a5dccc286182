public import NetpolModel

/// A ClusterIP, or an address for one, that doesn't serve a packet. kube-proxy's nftables mode stops the packet. In
/// iptables mode it goes where the node's routes lead.
public enum IdleClusterIP: Hashable, Sendable {
  /// The service has no such port, or the packet is of another protocol. It is refused.
  case otherPort(of: NamespacedName)
  /// No service has the address, which is one of the service CIDRs. The packet is dropped.
  case unallocated(IPAddress)
}

// Where kube-proxy's nftables mode differs from its iptables mode.
extension Oracle {
  /// Applies to what is forwarded or sent by a node, after the translation. What is for the node itself is not affected.
  func stoppingAtIdleClusterIPs(_ resolved: ResolvedFlow) -> ResolvedFlow {
    let (address, source) = (resolved.arrived.destinationAddress, resolved.arrived.source)
    guard kubeProxy.mode.isNftables, !resolved.isRefused, !resolved.isNotChosen, !address.isMulticast,
      nodeOwning(address) == nil, let idle = fronts.idleClusterIP(at: address)
    else { return resolved }
    // A host outside needs a way into the cluster for it.
    if case .external(let name) = source, resolved.intermediary == nil, serviceGateways[name] == nil,
      announcers[address] == nil
    {
      return resolved
    }
    var stopped = resolved
    stopped.isRefused = true
    stopped.idleClusterIP = idle
    return stopped
  }

  private var checksBeforeTranslation: Bool {
    if case .nftables(let release) = kubeProxy.mode { release <= .v33 } else { false }
  }

  /// Up to 1.33, nftables mode checks its own node's packets before it translates them: what has no local endpoint for
  /// others has none for the node either (kubernetes/kubernetes#131765). NodePorts are not affected.
  func isStoppedBeforeShortCut(_ front: ServiceFronts.Front, _ family: IPFamily, at entry: String?) -> Bool {
    checksBeforeTranslation && !front.isNodePort
      && fronts.backends(front, family, within: .local(entry.flatMap { nodes[$0] })).isEmpty
  }

  /// Whether kube-proxy stops a packet before any translation, so that no host port can take it. In nftables mode it
  /// judges source ranges there, and up to 1.33 the services' endpoints for its own node's packets too.
  func isStoppedBeforeHostPorts(
    _ resolved: ResolvedFlow, _ front: ServiceFronts.Front, _ client: Endpoint, at entry: String?
  ) -> Bool {
    guard kubeProxy.mode.isNftables else { return false }
    if resolved.isOutOfRange { return true }
    return checksBeforeTranslation && resolved.isRefused && !front.isNodePort && entry != nil
      && nodeSpeaking(client) == entry
  }

  /// Since 1.36, nftables mode masquerades an endpoint that reaches itself only on the endpoint's own node.
  func masqueradesHairpins(to backend: ServiceFronts.Backend, at entry: String?) -> Bool {
    kubeProxy.mode != .nftables(.v36) || backend.node == entry
  }
}
