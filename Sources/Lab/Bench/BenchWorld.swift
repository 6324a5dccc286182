public import NetpolModel

/// A cluster of a given size, for sending packets through the rules of one of its nodes.
///
/// Policies are assigned to the node's pods in turn. Each admits one UDP port for `peers` peers and for the node's
/// client. Peers are pods of the other node, or address blocks outside the cluster.
public struct BenchWorld: Hashable, Sendable {
  public enum PeerKind: String, Hashable, Sendable, CaseIterable { case pods, blocks }

  /// Pods on the node, without the client.
  public var pods: Int
  public var policies: Int
  /// Peers of each policy.
  public var peers: Int
  public var peerKind: PeerKind
  /// The family of all addresses.
  public var family: IPFamily

  public init(
    pods: Int, policies: Int? = nil, peers: Int = 20, peerKind: PeerKind = .pods, family: IPFamily = .v4
  ) {
    self.pods = pods
    self.policies = policies ?? pods
    self.peers = peers
    self.peerKind = peerKind
    self.family = family
  }

  public static let podRange = 1...20_000
  public static let policyRange = 1...20_000
  public static let peerRange = 1...10_000

  static let node = "node1"
  static let port: UInt16 = 8080
  private static let namespace = "bench"
  /// Maximum number of peers in total. Beyond that, policies share peers.
  private static let mostPeers = 30_000

  /// Number of groups of pods that have the same policies.
  private var groups: Int { min(pods, policies) }
  private var peerSets: Int { max(1, min(policies, Self.mostPeers / peers)) }

  var addresses: BenchAddresses { BenchAddresses(family) }
  func address(ofPod number: Int) -> IPAddress { addresses.pod(number) }

  /// The numbers of the policies that select a pod.
  func policies(ofPod number: Int) -> [Int] { Array(stride(from: number % groups, to: policies, by: groups)) }

  /// An address that the policy admits.
  func peerAddress(_ number: Int, ofPolicy policy: Int) -> IPAddress {
    let index = policy % peerSets * peers + number % peers
    return peerKind == .pods ? addresses.peer(index) : addresses.block(index).network.advanced(by: 1)
  }

  public var cluster: Cluster {
    let addresses = addresses
    let client = Pod(
      id: PodID(Self.namespace, "client"), labels: ["role": "client"], node: Self.node, podIPs: [addresses.client],
      hostIP: addresses.node)
    let local = (0..<pods).map { number in
      Pod(
        id: PodID(Self.namespace, "pod-\(sortable(number))"), labels: ["group": "\(number % groups)"], node: Self.node,
        podIPs: [addresses.pod(number)], hostIP: addresses.node)
    }
    let remote =
      peerKind == .blocks
      ? []
      : (0..<peerSets * peers).map { index in
        Pod(
          id: PodID(Self.namespace, "peer-\(sortable(index))"), labels: ["peers": "\(index / peers)"], node: "node2",
          podIPs: [addresses.peer(index)], hostIP: addresses.otherNode)
      }
    return Cluster(
      nodes: [
        Node(name: Self.node, addresses: [addresses.node], podCIDRs: [addresses.pods]),
        Node(name: "node2", addresses: [addresses.otherNode], podCIDRs: [addresses.otherPods]),
      ],
      namespaces: [Namespace(name: Self.namespace)], pods: ([client] + local + remote).sorted { $0.id < $1.id },
      policies: (0..<policies).map(policy).sorted { $0.id < $1.id })
  }

  private func policy(_ number: Int) -> NetworkPolicy {
    let set = number % peerSets
    let peers: [NetworkPolicy.Peer] =
      switch peerKind {
      case .pods: [.pods(in: .own, matching: LabelSelector(matchLabels: ["peers": "\(set)"]))]
      case .blocks: (set * peers..<(set + 1) * peers).map { .block(NetworkPolicy.IPBlock(addresses.block($0))) }
      }
    let client = NetworkPolicy.Peer.pods(in: .own, matching: LabelSelector(matchLabels: ["role": "client"]))
    let rule = NetworkPolicy.Rule(
      peers: .listed(peers + [client]), ports: .listed([.init(.udp, .number(Self.port, through: nil))]))
    return NetworkPolicy(
      id: PolicyID(Self.namespace, "policy-\(sortable(number))"),
      podSelector: LabelSelector(matchLabels: ["group": "\(number % groups)"]), isolates: [.ingress], ingress: [rule])
  }

  /// The number as text that sorts in the same order.
  private func sortable(_ number: Int) -> String { String(String(100_000 + number).dropFirst()) }
}
