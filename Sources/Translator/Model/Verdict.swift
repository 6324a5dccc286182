/// Whether a flow's first packet is delivered. The raw value is the word in reports, JSON and Expectations documents.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
  case allow = "allowed"
  case deny = "denied"
}

/// What an Expectations document says of a flow. The raw value is its word there.
public enum ExpectedVerdict: String, Hashable, Sendable, CaseIterable {
  case allow = "allowed"
  case deny = "denied"
  /// Some endpoints of a service accept it and others don't.
  case mixed

  /// `nil` for `mixed`.
  public var verdict: Verdict? {
    switch self {
    case .allow: .allow
    case .deny: .deny
    case .mixed: nil
    }
  }
}

/// Why the API's semantics give a verdict. Reports turn it into sentences. It is never parsed from text.
public enum Reason: Hashable, Sendable {
  /// Traffic between a pod and its own address does not leave the pod.
  case sameEndpoint
  /// "Traffic to and from the node where a Pod is running is always allowed."
  case ownNode(Direction)
  /// This end is not a pod, or no policy isolates it in this direction.
  case notIsolated(Direction)
  case admitted(Direction, by: PolicyID, rule: Int, peer: Int?)
  case isolated(Direction, by: [PolicyID])
  /// The packet is sent on to this endpoint. Policies on the receiver see the given source address.
  case translated(Intermediary, to: Endpoint, port: UInt16, seenFrom: IPAddress)
  /// The sender's policies see the node's address and port, because another node translates them.
  case notYetTranslated(Intermediary, IPAddress, port: UInt16)
  /// The node's port belongs to this, but not at the address. The node itself gets the packet.
  case unserved(Intermediary, IPAddress)
  /// The peer is a pod on its node's network, which no selector selects.
  case hostNetworkPeer(PodID)
  /// NodeLocal DNS on the node answers at this address: a process of the node, not an endpoint of any service.
  case localDNS(on: String, IPAddress)
  /// The pod that received the packet sends it on to this address and port, as this sender (servicelb).
  case forwarded(by: PodID, to: IPAddress, port: UInt16, as: IPAddress)
  /// The pod that would send the packet on drops it: the sender, as the pod sees it, is in none of its `SRC_RANGES`.
  case outOfForwardRanges(PodID, sender: IPAddress)
  /// The pod would send the packet on, but it has gone around in a loop (servicelb).
  case forwardingLoop(PodID)
  /// The client is in none of the service's `loadBalancerSourceRanges`.
  case outOfSourceRanges(NamespacedName)
  /// The service has no endpoint that can receive packets.
  case noEndpoints(NamespacedName)
  /// The traffic policy is Local, and the service's endpoints are on other nodes than the given one.
  case noLocalEndpoints(NamespacedName, on: String)
  /// The service doesn't serve the port at its ClusterIP. kube-proxy's nftables mode refuses it.
  case unservedClusterIP(NamespacedName)
  /// No service has the address, which is in a service CIDR. kube-proxy's nftables mode drops the packet.
  case unallocatedClusterIP(IPAddress)
}

public struct Judgement: Hashable, Sendable {
  public let verdict: Verdict
  public let because: [Reason]
  public init(_ verdict: Verdict, because: [Reason]) {
    self.verdict = verdict
    self.because = because
  }
}
