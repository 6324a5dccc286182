internal import Algorithms
internal import NetpolModel

/// A node as the input gives it: addresses and pod CIDRs, with the fields that state them.
struct NodeManifest {
  let name: String
  var labels: Labels = [:]
  /// Without duplicates: on bare metal the ExternalIP is often the InternalIP.
  var addresses: [Stated<IPAddress>] { didSet { addresses = addresses.uniqued(on: \.value) } }
  var podCIDRs: [Stated<CIDR>]
  /// Those of `addresses` with type ExternalIP.
  private(set) var externalIPs: Set<IPAddress> = []
  private(set) var isNetworkUnavailable = false
  /// Whether svclb pods tolerate its taints.
  private(set) var admitsServiceLB = true
  /// Of the kubelet, which is that of k3s's own kube-proxy.
  private(set) var release: KubeProxyRelease?
  /// `nil` if it is no node of k3s.
  private(set) var k3s: K3sArguments?
  let location: SourceLocation?

  /// Addresses are the InternalIPs, then the ExternalIPs. `podCIDR` counts before `podCIDRs`.
  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    let spec = try object.root["spec"]?.fields()
    podCIDRs = []
    for entry in try spec?["podCIDRs"]?.list() ?? [] { podCIDRs.append(Stated(try entry.cidr(), entry)) }
    // Convert_v1_NodeSpec_To_core_NodeSpec: podCIDR fills podCIDRs, and is authoritative if the two differ.
    if let field = spec?["podCIDR"], try !field.string().isEmpty {
      let first = Stated(try field.cidr(), field)
      if podCIDRs.first?.value != first.value { podCIDRs = [first] }
    }
    var byType: [String: [Stated<IPAddress>]] = [:]
    for entry in try object.root["status"]?.fields()["addresses"]?.list() ?? [] {
      let fields = try entry.fields()
      let type = try fields["type"]?.string() ?? ""
      guard type == "InternalIP" || type == "ExternalIP", let field = fields["address"] else { continue }
      byType[type, default: []].append(Stated(try field.address(), field))
    }
    externalIPs = Set(byType["ExternalIP", default: []].map(\.value))
    isNetworkUnavailable = try object.root["status"]?.fields().condition("NetworkUnavailable") ?? false
    let info = try? object.root["status"]?.fields()["nodeInfo"]?.fields()
    release = (try? info?["kubeletVersion"]?.string()).flatMap { KubeProxyRelease(version: $0) }
    k3s = K3sArguments(object)
    admitsServiceLB = Self.admitsServiceLB(spec)
    name = try object.name(validation)
    labels = try object.labels(validation)
    addresses = (byType["InternalIP", default: []] + byType["ExternalIP", default: []]).uniqued(on: \.value)
    location = object.location
  }

  /// The DaemonSet of svclb pods tolerates control-plane nodes and `CriticalAddonsOnly`, and its controller adds what every
  /// DaemonSet tolerates. A wrong type here is no error.
  private static func admitsServiceLB(_ spec: Fields?) -> Bool {
    let tolerated: Set<String> = [
      "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "CriticalAddonsOnly",
      "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "node.kubernetes.io/disk-pressure",
      "node.kubernetes.io/memory-pressure", "node.kubernetes.io/pid-pressure", "node.kubernetes.io/unschedulable",
    ]
    return ((try? spec?["taints"]?.list()) ?? []).allSatisfy { entry in
      guard let taint = try? entry.fields(), let effect = try? taint["effect"]?.string(), effect != "PreferNoSchedule"
      else { return true }
      return tolerated.contains((try? taint["key"]?.string()) ?? "")
    }
  }

  init(
    name: String, addresses: [Stated<IPAddress>] = [], podCIDRs: [Stated<CIDR>] = [], location: SourceLocation? = nil
  ) {
    self.name = name
    self.addresses = addresses.uniqued(on: \.value)
    self.podCIDRs = podCIDRs
    self.location = location
  }

  var node: Node {
    var node = Node(
      name: name, labels: labels, addresses: addresses.map(\.value), podCIDRs: podCIDRs.map(\.value),
      location: location)
    node.isNetworkUnavailable = isNetworkUnavailable
    return node
  }
}
