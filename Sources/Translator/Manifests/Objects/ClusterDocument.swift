internal import NetpolModel
internal import Text

/// `apiVersion: netpol-lab/v1alpha1, kind: Cluster`: settings that manifests can't express. Every field is optional,
/// and unknown fields are errors.
struct ClusterDocument {
  static let apiVersion = "netpol-lab/v1alpha1"

  private enum ICMPLimits: String, CaseIterable {
    case kernel, lifted
  }

  private enum Mode: String, CaseIterable {
    case iptables, nftables
  }

  let location: SourceLocation
  private(set) var nodes: [NodeManifest] = []
  private(set) var externalHosts: [ExternalHost] = []
  private(set) var settings = ClusterSettings()
  private(set) var serviceCIDRs: [CIDR]?
  /// The cluster CIDRs, the hosts' addresses and the announcer, kept for errors that need the other objects to be known.
  private(set) var clusterCIDRs: [Stated<CIDR>] = []
  private(set) var hostAddresses: [Stated<IPAddress>] = []
  private(set) var announcer: Field?
  /// Whether these are given, so that nothing else in the input counts.
  private(set) var statesKubeProxy = false
  private(set) var statesHostPorts = false
  /// kube-proxy's mode and release, if they are given.
  private(set) var kubeProxyMode: KubeProxyMode?
  private(set) var kubeProxyRelease: KubeProxyRelease?
  private(set) var serviceGateways: [Stated<String>] = []

  init(_ object: ManifestObject) throws(ManifestError) {
    location = object.location
    let root = object.root
    try root.closed(to: [
      "apiVersion", "kind", "metadata", "nodes", "clusterCIDRs", "serviceCIDRs", "nodePortRange", "overlay",
      "bridgeNetfilter", "externalHosts", "loadBalancer", "loadBalancerAnnouncer", "icmpLimits", "defaultDeny",
      "kubeProxy", "hostPorts",
    ])
    for entry in try root["nodes"]?.list() ?? [] { try readNode(entry) }
    for entry in try root["externalHosts"]?.list() ?? [] { try readHost(entry) }
    serviceCIDRs = try root["serviceCIDRs"].map { (field) throws(ManifestError) in try Self.cidrs(field) }
    if let field = root["clusterCIDRs"] {
      clusterCIDRs = try Self.clusterCIDRs(field)
      settings.clusterCIDRs = clusterCIDRs.map(\.value)
    }
    if let field = root["nodePortRange"] { settings.nodePorts = try Self.portRange(field) }
    if let field = root["overlay"] {
      settings.overlay = try field.word(Overlay.self)
    }
    if let field = root["bridgeNetfilter"] { settings.bridgeNetfilter = try field.bool() }
    if let field = root["defaultDeny"] { settings.defaultDeny = try field.bool() }
    if let field = root["kubeProxy"] { try readKubeProxy(try field.fields()) }
    if let field = root["loadBalancer"] { settings.loadBalancing = try field.word(LoadBalancing.self) }
    if let field = root["hostPorts"] { settings.hostPorts = try field.word(HostPortMapping.self) }
    if let field = root["icmpLimits"] {
      settings.liftICMPLimits = try field.word(ICMPLimits.self) == .lifted
    }
    statesKubeProxy = root["kubeProxy"] != nil
    statesHostPorts = root["hostPorts"] != nil
    announcer = root["loadBalancerAnnouncer"]
    settings.loadBalancerAnnouncer = try announcer?.string()
  }

  private mutating func readNode(_ entry: Field) throws(ManifestError) {
    let fields = try entry.fields()
    try fields.closed(to: ["name", "addresses", "podCIDRs"])
    let name = try Self.name(fields, taken: nodes.map(\.name), NameSyntax.isDNSSubdomain)
    let addresses = try fields["addresses"]?.list().map { (field) throws(ManifestError) in
      Stated(try field.address(), field)
    }
    let podCIDRs = try fields["podCIDRs"]?.list().map { (field) throws(ManifestError) in
      Stated(try field.canonicalCIDR(), field)
    }
    nodes.append(
      NodeManifest(name: name, addresses: addresses ?? [], podCIDRs: podCIDRs ?? [], location: entry.location))
  }

  private mutating func readHost(_ entry: Field) throws(ManifestError) {
    let fields = try entry.fields()
    try fields.closed(to: ["name", "addresses", "networks", "routesToPods", "routesToServices"])
    let name = try Self.name(fields, taken: externalHosts.map(\.name), NameSyntax.isDNSLabel)
    let list = try fields.required("addresses", "give at least one address").list()
    if list.isEmpty { throw fields.missing("addresses", "give at least one address") }
    let addresses = try list.map { (field) throws(ManifestError) in try field.address() }
    for (field, address) in zip(list, addresses) {
      if hostAddresses.contains(where: { $0.value == address }) {
        throw field.error("\(address) is listed twice in externalHosts", "give each host addresses of its own")
      }
      hostAddresses.append(Stated(address, field))
    }
    let networks = try fields["networks"].map { (field) throws(ManifestError) in try Self.cidrs(field) }
    let gateway = try fields["routesToServices"].map { (field) throws(ManifestError) in
      Stated(try field.string(), field)
    }
    if let gateway { serviceGateways.append(gateway) }
    externalHosts.append(
      ExternalHost(
        name: name, addresses: addresses, networks: networks ?? [],
        routesToPods: try fields["routesToPods"]?.bool() ?? false, routesToServices: gateway?.value,
        location: entry.location))
  }

  private static func name(_ fields: Fields, taken: [String], _ grammar: (String) -> Bool) throws(ManifestError)
    -> String
  {
    let field = try fields.required("name", "give it a name")
    let name = try field.string()
    guard grammar(name) else {
      throw field.error("\(name.quoted) is not a DNS name", "use a-z, 0-9 and inner '-'")
    }
    if taken.contains(name) { throw field.error("\(name.quoted) appears twice", "keep one of them") }
    return name
  }

  private static func cidrs(_ field: Field) throws(ManifestError) -> [CIDR] {
    try field.list().map { (entry) throws(ManifestError) in try entry.canonicalCIDR() }
  }

  private static func clusterCIDRs(_ field: Field) throws(ManifestError) -> [Stated<CIDR>] {
    var stated: [Stated<CIDR>] = []
    for entry in try field.list() {
      let cidr = try entry.canonicalCIDR()
      if cidr.prefixLength == 0 {
        throw entry.error("\(cidr) holds every address", "give the network of the pods only")
      }
      if stated.contains(where: { $0.value.family == cidr.family }) {
        throw entry.error(
          "\(cidr) is a second \(cidr.family.rawValue) network",
          "give one of each family, as kube-proxy's --cluster-cidr does")
      }
      stated.append(Stated(cidr, entry))
    }
    return stated
  }

  private mutating func readKubeProxy(_ fields: Fields) throws(ManifestError) {
    try fields.closed(to: [
      "mode", "version", "masqueradeAll", "nodePortAddresses", "localhostNodePorts", "noClusterCIDR",
    ])
    if let field = fields["version"] {
      let text = try field.string()
      guard let release = KubeProxyRelease(version: text) else {
        throw field.error("\(text.quoted) is not a version", "write one such as \"1.36\"")
      }
      if KubeProxyRelease.isBeforeNftables(text) {
        throw field.error("kube-proxy \(text) has no nftables mode that is known", "write 1.31 or a later one")
      }
      kubeProxyRelease = release
    }
    if let field = fields["mode"] {
      switch try field.word(Mode.self) {
      case .iptables: kubeProxyMode = .iptables
      case .nftables: kubeProxyMode = .nftables(kubeProxyRelease ?? .latest)
      }
    }
    var flags = KubeProxyFlags()
    if let field = fields["masqueradeAll"] { flags.masqueradeAll = try field.bool() }
    if let field = fields["nodePortAddresses"] {
      flags.nodePortsAtPrimary = try field.list().count == 1 && (try? field.strings()) == ["primary"]
      if !flags.nodePortsAtPrimary { flags.nodePortAddresses = try Self.cidrs(field) }
    }
    if let field = fields["localhostNodePorts"] { flags.localhostNodePorts = try field.bool() }
    if let field = fields["noClusterCIDR"] { flags.knowsClusterCIDR = !(try field.bool()) }
    if let kubeProxyMode { flags.mode = kubeProxyMode }
    settings.kubeProxy = flags
  }

  private static func portRange(_ field: Field) throws(ManifestError) -> PortRange {
    let text = try field.string()
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first > 0, first <= last else {
      throw field.error("\(text.quoted) is not a port range", "write one such as 30000-32767")
    }
    return PortRange(first, last)
  }
}
