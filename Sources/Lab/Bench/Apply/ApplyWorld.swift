internal import Lowering
internal import NetpolModel

/// The world whose rules are applied: each policy selects its own pods on the node and admits 20 peers elsewhere.
///
/// Pod n of the node has policy n, starting over if there are fewer policies than pods. Peers come in teams of 20.
/// There are 50 teams, and each policy admits one.
struct ApplyWorld: Hashable, Sendable {
  static let peers = 20
  private static let teams = 50
  private static let namespace = "bench"

  let policies: Int
  /// Pods on the node.
  let pods: Int
  /// Whether each policy also admits a network that no pod is in.
  var hasBlocks = false

  /// What the node sees. One policy more than `policies` is there, which has no pod yet.
  var view: NodeView {
    NodeView(of: node, in: cluster)
  }

  /// A new pod for the node, with the policy of this number. The policy numbered `policies` has no other pod.
  func newcomer(withPolicy number: Int) -> Pod { localPod(pods, app: number) }

  private var node: Node {
    Node(
      name: "node1", addresses: [IPAddress(v4: 0xc0a8_140b)],
      podCIDRs: [CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 17)])
  }

  private var cluster: Cluster {
    let other = Node(
      name: "node2", addresses: [IPAddress(v4: 0xc0a8_140c)],
      podCIDRs: [CIDR(IPAddress(v4: 0x0a2a_8000), prefixLength: 17)])
    return Cluster(
      nodes: [node, other], namespaces: [Namespace(name: Self.namespace)],
      pods: (0..<pods).map { localPod($0, app: $0 % max(policies, 1)) } + (0..<Self.teams * Self.peers).map(peer),
      policies: (0...policies).map(policy))
  }

  private func localPod(_ number: Int, app: Int) -> Pod {
    Pod(
      id: PodID(Self.namespace, "pod-\(number)"), labels: ["app": "a\(app)"], node: "node1",
      podIPs: [IPAddress(v4: 0x0a2a_000a + UInt32(number))], hostIP: IPAddress(v4: 0xc0a8_140b))
  }

  private func peer(_ number: Int) -> Pod {
    Pod(
      id: PodID(Self.namespace, "peer-\(number)"), labels: ["team": "t\(number / Self.peers)"], node: "node2",
      podIPs: [IPAddress(v4: 0x0a2a_800a + UInt32(number))], hostIP: IPAddress(v4: 0xc0a8_140c))
  }

  private func policy(_ number: Int) -> NetworkPolicy {
    let team = LabelSelector(matchLabels: ["team": "t\(number % Self.teams)"])
    var peers = [NetworkPolicy.Peer.pods(in: .own, matching: team)]
    // 172.16.0.0/12 has room for 4,096 blocks of 256.
    let block = CIDR(IPAddress(v4: 0xac10_0000 + UInt32(number % 4096) << 8), prefixLength: 24)
    if hasBlocks { peers.append(.block(NetworkPolicy.IPBlock(block))) }
    return NetworkPolicy(
      id: PolicyID(Self.namespace, "policy-\(number)"), podSelector: LabelSelector(matchLabels: ["app": "a\(number)"]),
      isolates: [.ingress],
      ingress: [
        NetworkPolicy.Rule(peers: .listed(peers), ports: .listed([.init(.tcp, .number(8080, through: nil))]))
      ])
  }
}
