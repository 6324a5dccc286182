internal import Kernel
public import NetpolModel

/// A generated world of a given size to measure lag in: namespaces with a standard set of policies each, filled with
/// pods.
///
/// Local pods are on `node1`, the others on `node2`. The standard set is that of a homelab: own namespace,
/// default-deny, Traefik, Prometheus, a dashboard, DNS and HTTPS.
public struct LagWorld: Hashable, Sendable {
  public let policies: Int
  public let pods: Int
  /// Number of pods on the newcomers' node.
  public let local: Int

  public static let policyRange = 0...10_000
  public static let podRange = 1...20_000
  /// There are never more of them than `pods`.
  public static let localPodRange = 1...10_000

  public init(policies: Int, pods: Int, local: Int) {
    self.policies = policies
    self.pods = pods
    self.local = local
  }

  static let node = "node1"
  static let hostIP = IPAddress(v4: 0xc0a8_140b)
  private static let otherHostIP = IPAddress(v4: 0xc0a8_140c)
  /// The namespace that newcomers join. It has the standard set, or part of it if there are fewer policies.
  static let namespace = "lag-0"

  /// The namespaces that the policies fill, seven policies each.
  private var namespaces: [String] { (0..<max(1, (policies + 6) / 7)).map { "lag-\($0)" } }

  /// The maximum number of newcomers at once. The lab's own pods use the addresses that follow.
  public static let mostNewcomers = 50

  /// The address of the newcomer with this number. No pod of the world has it.
  func address(ofNewcomer number: Int) -> IPAddress { address(hasSmallNode ? 180 + number : 0x7e01 + number) }

  /// Whether a /24 is enough for the node.
  private var hasSmallNode: Bool { local <= 160 }
  private func address(_ offset: Int) -> IPAddress { IPAddress(v4: 0x0a2a_0000 + UInt32(offset)) }

  public var cluster: Cluster {
    Cluster(
      nodes: [
        Node(
          name: Self.node, addresses: [Self.hostIP],
          podCIDRs: [CIDR(address(0), prefixLength: hasSmallNode ? 24 : 17)]),
        Node(
          name: "node2", addresses: [Self.otherHostIP],
          podCIDRs: [hasSmallNode ? CIDR(address(0x100), prefixLength: 24) : CIDR(address(0x8000), prefixLength: 17)]),
      ],
      namespaces: (["default", "kube-system", "monitoring"] + namespaces).map { Namespace(name: $0) },
      pods: (0..<pods).map(pod).sorted { $0.id < $1.id },
      policies: Array(namespaces.flatMap(standardSet).prefix(policies)).sorted { $0.id < $1.id })
  }

  /// A world of this shape without some of its local pods and policies, if it has more than these: with fewer, the world
  /// itself.
  func making(room pods: Int, _ policies: Int) -> LagWorld {
    let makesRoom = local > pods
    return LagWorld(
      policies: self.policies > policies ? self.policies - policies : self.policies,
      pods: makesRoom ? self.pods - pods : self.pods, local: makesRoom ? local - pods : local)
  }

  func hasLocalPod(in namespace: String) -> Bool {
    cluster.pods.contains { $0.id.namespace == namespace && $0.node == Self.node }
  }

  private func pod(_ number: Int) -> Pod {
    let special: [(String, Labels)] = [
      ("kube-system", ["app.kubernetes.io/name": "traefik"]), ("monitoring", ["app.kubernetes.io/name": "prometheus"]),
      ("default", ["app": "cluster-dashboard"]),
    ]
    let (namespace, labels) =
      number < special.count && pods > 10
      ? special[number] : (namespaces[number % namespaces.count], ["app": "a\(number % 5)"])
    let id = PodID(namespace, "fill-\(number)")
    guard number >= local else {
      return Pod(id: id, labels: labels, node: Self.node, podIPs: [address(10 + number)], hostIP: Self.hostIP)
    }
    // 250 addresses in each block of 256.
    let other = address((hasSmallNode ? 0x100 : 0x8000) + number / 250 * 256 + number % 250 + 1)
    return Pod(id: id, labels: labels, node: "node2", podIPs: [other], hostIP: Self.otherHostIP)
  }

  private func standardSet(_ namespace: String) -> [NetworkPolicy] {
    func policy(
      _ name: String, _ isolates: Set<Direction>, ingress: [NetworkPolicy.Rule] = [], egress: [NetworkPolicy.Rule] = []
    ) -> NetworkPolicy {
      NetworkPolicy(id: PolicyID(namespace, name), isolates: isolates, ingress: ingress, egress: egress)
    }
    func from(_ namespace: String, _ key: String, _ value: String) -> [NetworkPolicy.Rule] {
      [.init(peers: .listed([.pods(in: .named(namespace), matching: LabelSelector(matchLabels: [key: value]))]))]
    }
    let own = NetworkPolicy.Rule(peers: .listed([.pods(in: .own, matching: .everything)]))
    let services = NetworkPolicy.IPBlock(CIDR(IPAddress(v4: 0x0a2b_0000), prefixLength: 16))
    let anywhere = NetworkPolicy.IPBlock(CIDR(IPAddress(v4: 0), prefixLength: 0))
    let name = "app.kubernetes.io/name"
    return [
      policy("allow-intra-namespace", [.ingress, .egress], ingress: [own], egress: [own]),
      policy("default-deny-all", [.ingress, .egress]),
      policy("allow-traefik", [.ingress], ingress: from("kube-system", name, "traefik")),
      policy("allow-prometheus", [.ingress], ingress: from("monitoring", name, "prometheus")),
      policy("allow-dashboard", [.ingress], ingress: from("default", "app", "cluster-dashboard")),
      policy(
        "allow-dns", [.egress],
        egress: [
          .init(
            peers: .listed([.pods(in: .named("kube-system"), matching: .everything), .block(services)]),
            ports: .listed([.init(.udp, .number(53, through: nil)), .init(.tcp, .number(53, through: nil))]))
        ]),
      policy(
        "allow-https", [.egress],
        egress: [
          .init(peers: .listed([.block(anywhere)]), ports: .listed([.init(.tcp, .number(443, through: nil))]))
        ]),
    ]
  }
}

extension NetworkPolicy.NamespaceScope {
  fileprivate static func named(_ name: String) -> Self {
    .matching(LabelSelector(matchLabels: ["kubernetes.io/metadata.name": name]))
  }
}
