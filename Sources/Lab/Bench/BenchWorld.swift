public import NetpolModel

/// A cluster of a given size, to send packets through the rules of one of its nodes.
///
/// The policies are dealt out to the node's pods in turn; each admits one UDP port to `peers` peers and to the node's
/// client. Peers are pods of the other node, or blocks of addresses outside.
public struct BenchWorld: Hashable, Sendable {
  public enum PeerKind: String, Hashable, Sendable, CaseIterable { case pods, blocks }

  /// On the node, beside the client.
  public var pods: Int
  public var policies: Int
  /// Of each policy.
  public var peers: Int
  public var peerKind: PeerKind

  public init(pods: Int, policies: Int? = nil, peers: Int = 20, peerKind: PeerKind = .pods) {
    self.pods = pods
    self.policies = policies ?? pods
    self.peers = peers
    self.peerKind = peerKind
  }

  public static let podRange = 1...20_000
  public static let policyRange = 1...20_000
  public static let peerRange = 1...10_000

  static let node = "node1"
  static let port: UInt16 = 8080
  static let podBlock = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 17)
  static let client = IPAddress(v4: 0x0a2a_7ffa)
  /// No policy has it as a peer.
  static let stranger = IPAddress(v4: 0x0a2a_fffa)
  static let nodeAddress = IPAddress(v4: 0xc0a8_140b)
  private static let namespace = "bench"
  private static let otherBlock = CIDR(IPAddress(v4: 0x0a2a_8000), prefixLength: 17)
  private static let otherAddress = IPAddress(v4: 0xc0a8_140c)
  /// All peers together are no more: beyond that, policies share them.
  private static let mostPeers = 30_000

  /// Pods that the same policies select.
  private var groups: Int { min(pods, policies) }
  private var peerSets: Int { max(1, min(policies, Self.mostPeers / peers)) }

  func address(ofPod number: Int) -> IPAddress { Self.podBlock.network.advanced(by: UInt128(10 + number)) }

  /// The policies that select a pod, by number.
  func policies(ofPod number: Int) -> [Int] { Array(stride(from: number % groups, to: policies, by: groups)) }

  /// An address that the policy admits.
  func peerAddress(_ number: Int, ofPolicy policy: Int) -> IPAddress {
    let index = policy % peerSets * peers + number % peers
    return peerKind == .pods ? podPeer(index) : block(index).network.advanced(by: 1)
  }

  private func podPeer(_ index: Int) -> IPAddress { Self.otherBlock.network.advanced(by: UInt128(10 + index)) }
  /// Blocks of 16 addresses in 100.64.0.0/10 with as many between them, so that none can be joined to the next.
  private func block(_ index: Int) -> CIDR { CIDR(IPAddress(v4: 0x6440_0000 + UInt32(index) * 32), prefixLength: 28) }

  public var cluster: Cluster {
    let client = Pod(
      id: PodID(Self.namespace, "client"), labels: ["role": "client"], node: Self.node, podIPs: [Self.client],
      hostIP: Self.nodeAddress)
    let local = (0..<pods).map { number in
      Pod(
        id: PodID(Self.namespace, "pod-\(sortable(number))"), labels: ["group": "\(number % groups)"], node: Self.node,
        podIPs: [address(ofPod: number)], hostIP: Self.nodeAddress)
    }
    let remote =
      peerKind == .blocks
      ? []
      : (0..<peerSets * peers).map { index in
        Pod(
          id: PodID(Self.namespace, "peer-\(sortable(index))"), labels: ["peers": "\(index / peers)"], node: "node2",
          podIPs: [podPeer(index)], hostIP: Self.otherAddress)
      }
    return Cluster(
      nodes: [
        Node(name: Self.node, addresses: [Self.nodeAddress], podCIDRs: [Self.podBlock]),
        Node(name: "node2", addresses: [Self.otherAddress], podCIDRs: [Self.otherBlock]),
      ],
      namespaces: [Namespace(name: Self.namespace)], pods: ([client] + local + remote).sorted { $0.id < $1.id },
      policies: (0..<policies).map(policy).sorted { $0.id < $1.id })
  }

  private func policy(_ number: Int) -> NetworkPolicy {
    let set = number % peerSets
    let peers: [NetworkPolicy.Peer] =
      switch peerKind {
      case .pods: [.pods(in: .own, matching: LabelSelector(matchLabels: ["peers": "\(set)"]))]
      case .blocks: (set * peers..<(set + 1) * peers).map { .block(NetworkPolicy.IPBlock(block($0))) }
      }
    let client = NetworkPolicy.Peer.pods(in: .own, matching: LabelSelector(matchLabels: ["role": "client"]))
    let rule = NetworkPolicy.Rule(
      peers: .listed(peers + [client]), ports: .listed([.init(.udp, .number(Self.port, through: nil))]))
    return NetworkPolicy(
      id: PolicyID(Self.namespace, "policy-\(sortable(number))"),
      podSelector: LabelSelector(matchLabels: ["group": "\(number % groups)"]), isolates: [.ingress], ingress: [rule])
  }

  /// Numbers as texts in the same order.
  private func sortable(_ number: Int) -> String { String(String(100_000 + number).dropFirst()) }
}
