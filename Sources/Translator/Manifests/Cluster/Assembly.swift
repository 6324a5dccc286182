internal import NetpolModel
internal import Text

/// Builds one cluster from the objects of the inventory.
struct Assembly {
  private let inventory: Inventory
  /// What a variant's objects keep from the base cluster.
  private let pins: Pins
  private(set) var cluster: Cluster
  private var assumptions: [Note] = []
  /// The families in which each Service has endpoints.
  private var families: [NamespacedName: [IPFamily]] = [:]
  private var terminating: Set<PodID> = []
  private(set) var impliesServiceCIDRs = false
  private var serviceLB: ServiceLB?
  /// The pods as the input gives them.
  private var podManifests: [PodManifest] = []
  /// Namespaces made for stand-in pods.
  private var standInNamespaces: [Namespace] = []

  var notes: [Note] { inventory.notes + inventory.k3sNotes + cluster.settings.remarks(inventory.options) + assumptions }

  /// Builds the cluster without endpoint slices.
  init(_ inventory: Inventory, keeping pins: Pins = .none) throws(ManifestError) {
    self.inventory = inventory
    self.pins = pins
    cluster = Cluster(
      policies: inventory.policies.sorted { $0.id < $1.id }, externalHosts: inventory.cluster?.externalHosts ?? [],
      settings: inventory.cluster?.settings ?? .init())
    let networks = ServiceNetworks(inventory, pins)
    cluster.settings.serviceCIDRs = networks.cidrs
    cluster.settings.serviceProxy = inventory.serviceProxy
    if let flags = inventory.kubeProxy, inventory.cluster?.statesKubeProxy != true {
      cluster.settings.kubeProxy = flags
    }
    chooseKubeProxyMode()
    // Products that translate services by eBPF do so with host ports too.
    if case .ebpf = inventory.serviceProxy, inventory.cluster?.statesHostPorts != true {
      cluster.settings.hostPorts = .other
    }
    cluster.settings.metalLB = inventory.metalLB
    cluster.settings.kubeVIPLeaders = inventory.kubeVIPLeaders
    cluster.settings.kubeVIPUsesBGP = inventory.kubeVIPUsesBGP
    if cluster.settings.loadBalancing == nil { cluster.settings.loadBalancing = inventory.loadBalancing }
    impliesServiceCIDRs = networks.areImplied
    cluster.unseen = inventory.skipped.unseen(inventory.ownership)
    try place()
    let allocation = try ServiceAllocation(
      inventory.services, cluster.settings, pins, inventory.options.validation)
    cluster.services = allocation.services
    families = allocation.families
    assumptions += networks.notes + allocation.notes + cluster.podNetworkNotes
    addServiceLB()
    assumptions += cluster.connectLocalDNS(podManifests)
    completeNamespaces()
    try checkSettings()
    try checkAnnouncedAddresses()
    addBalancers()
  }

  /// Applies a variant's changes to the existing objects.
  mutating func apply(_ variant: Expectations.Variant) {
    let without = Set(variant.without)
    cluster.policies.removeAll { without.contains($0.id) }
    for change in variant.labels {
      switch change.subject {
      case .namespace(let name):
        for index in cluster.namespaces.indices where cluster.namespaces[index].name == name {
          cluster.namespaces[index].labels[change.key] = change.value
        }
      case .pod(let id):
        for index in cluster.pods.indices where cluster.pods[index].id == id {
          cluster.pods[index].labels[change.key] = change.value
        }
      }
    }
    if let overlay = variant.overlay { cluster.settings.overlay = overlay }
    if let bridgeNetfilter = variant.bridgeNetfilter { cluster.settings.bridgeNetfilter = bridgeNetfilter }
  }

  /// Adds the slices from the input. For Services without any, adds the slices that a cluster would create.
  mutating func addEndpointSlices() {
    let given = inventory.endpointSlices.compactMap(\.slice)
    var served = Set(given.map { NamespacedName($0.id.namespace, $0.service) })
    var taken = Set(inventory.endpointSlices.map(\.id))
    let derived = DerivedSlices(cluster, terminating: terminating)
    let automatic = Set(inventory.services.filter(\.hasAutomaticHints).map(\.service.id))
    var slices = given
    for var service in cluster.services where !served.contains(service.id) {
      // The annotation counts before the field.
      if automatic.contains(service.id) { service.trafficDistribution = nil }
      slices += derived.slices(of: service, families[service.id] ?? [], taken: &taken)
    }
    noteAutomaticHints(automatic.subtracting(served))
    let mirrored = mirroredEndpoints(besides: served)
    // Beside an own slice, a Service gets the mirrored ones too.
    for endpoints in mirrored { slices += endpoints.slices(taken: &taken) }
    served.formUnion(mirrored.map(\.id))
    cluster.endpointSlices = slices.sorted { $0.id < $1.id }
    assumptions += cluster.announcementNotes
    bindVirtualAddresses()
    let nowhere = cluster.services.filter { service in
      service.kind != .externalName && !service.clusterIPs.isEmpty && service.selector?.isEmpty != false
        && !served.contains(service.id)
    }
    if !nowhere.isEmpty {
      let names = nowhere.map(\.id.description).abridged(to: 5)
      assumptions.append(
        Note(
          .warning,
          "no selector and no EndpointSlice: \(names); the lab refuses every flow to it, the cluster may not; "
            + "add its EndpointSlices (kubectl get endpointslices)"))
    }
  }

  /// kube-vip gives a balancer's address to the node that announces it, so that the node answers at all its ports there.
  private mutating func bindVirtualAddresses() {
    guard cluster.settings.loadBalancing == .kubeVIP else { return }
    let taken = Set(cluster.nodes.flatMap(\.addresses))
    for (address, announcement) in cluster.announcements.sorted(by: { $0.key < $1.key }) where !taken.contains(address)
    {
      guard let index = cluster.nodes.firstIndex(where: { $0.name == announcement.node }) else { continue }
      cluster.nodes[index].addresses.append(address)
    }
  }

  private mutating func noteAutomaticHints(_ services: Set<NamespacedName>) {
    let derived = cluster.services.filter { services.contains($0.id) && $0.selector?.isEmpty == false }
    if derived.isEmpty { return }
    let names = derived.map(\.id.description).abridged(to: 5)
    assumptions.append(
      Note(
        .warning,
        "topology-mode Auto is not modelled: \(names); nodes use the endpoints of all zones here; "
          + "add the EndpointSlices (kubectl get endpointslices)"))
  }

  /// The Endpoints objects that a cluster mirrors to slices, without those whose mirrored slices are in the input.
  /// Notes the others, unless their Service has slices.
  private mutating func mirroredEndpoints(besides served: Set<NamespacedName>) -> [EndpointsManifest] {
    let selectorless = Set(cluster.services.filter { $0.selector?.isEmpty != false }.map(\.id))
    let mirrors = inventory.endpointSlices.filter(\.isMirror).compactMap(\.slice)
    let finished = Set(mirrors.map { NamespacedName($0.id.namespace, $0.service) })
    let isMirrored = { (endpoints: EndpointsManifest) in
      endpoints.isMirrored && selectorless.contains(endpoints.id)
    }
    let ignored = inventory.endpoints.filter { !isMirrored($0) && !served.contains($0.id) }
    if !ignored.isEmpty {
      let names = ignored.map(\.id.description).abridged(to: 5)
      assumptions.append(Note(.note, "Endpoints that a cluster doesn't mirror to EndpointSlices are ignored: \(names)"))
    }
    return inventory.endpoints.filter { isMirrored($0) && !finished.contains($0.id) }
  }

  /// A load balancer that translates its address itself (`ipMode: Proxy`) is a machine outside. It sends to NodePorts.
  private mutating func addBalancers() {
    let taken = Set(cluster.nodes.flatMap(\.addresses))
    let addresses = cluster.services.flatMap(\.loadBalancerIPs).filter { $0.isProxied && !taken.contains($0.address) }
      .map(\.address)
    // No host of a Cluster document has such a name: it must be a DNS label.
    let hosts = Set(addresses).sorted().map { ExternalHost(name: $0.description, addresses: [$0]) }
    cluster.externalHosts += hosts
    if hosts.isEmpty { return }
    let names = hosts.map(\.name).abridged(to: 5)
    assumptions.append(
      Note(.note, "ipMode Proxy: \(names); a machine of its own outside, which sends to the nodes' NodePorts"))
  }

  /// A load-balancer address or external IP may not belong to a pod or an external host, because the owner would answer
  /// for it.
  private func checkAnnouncedAddresses() throws(ManifestError) {
    for service in cluster.services {
      for address in service.announcedAddresses {
        let holder = cluster.pods.first {
          !$0.hostNetwork && !$0.phase.isTerminal && $0.podIPs.contains(address)
        }
        let pod = holder.map { "pod \($0.id)" }
        let host = cluster.externalHosts.first { $0.addresses.contains(address) }.map { "external host \($0.name)" }
        guard let owner = pod ?? host else { continue }
        throw ManifestError(
          location: service.location, object: "Service \(service.id)",
          problem: "\(address) is an address of \(owner)", remedy: "give the service an address of its own")
      }
    }
  }

  private mutating func place() throws(ManifestError) {
    var table = try NodeTable(inventory, pins)
    let pods = inventory.ownedPods + expandWorkloads(nodes: table.nodes)
    let families = Set(table.families.values.joined())
    let all = pods + standIns(besides: pods, families)
    serviceLB = ServiceLB(inventory, table.manifests, besides: all)
    var placement = Placement(all + (serviceLB?.pods(besides: all) ?? []), pins)
    placement.schedule(on: table)

    let outside = cluster.externalHosts.flatMap(\.addresses) + table.nodes.flatMap(\.addresses)
    let taken = Set(placement.pods.flatMap(\.addresses) + outside)
    let declared = table.nodes.flatMap(\.podCIDRs)
    var used = CIDRIndex()
    for cidr in declared + cluster.settings.serviceCIDRs { used.insert(cidr) }
    // A wide network behind a host doesn't block addresses: the longer prefix wins in routing. A narrow one does.
    for cidr in cluster.externalHosts.flatMap(\.networks) where cidr.prefixLength >= 24 { used.insert(cidr) }
    for address in taken.union(placement.hostIPs.values.joined().map(\.value)) { used.insert(CIDR(address)) }

    let hasIPv6 =
      declared.contains { $0.family == .v6 }
      || placement.pods.contains { $0.addresses.contains { $0.family == .v6 } }
    let keptPods = placement.kept
    for address in keptPods.flatMap(\.podIPs) { used.insert(CIDR(address)) }
    let unstated = Set(table.manifests.filter(\.addresses.isEmpty).map(\.name))
    let keptNodes = pins.nodes.filter { unstated.contains($0.name) }
    try table.giveAddresses(hostIPs: placement.hostIPs, used: &used, hasIPv6: hasIPv6)
    try AddressBook.check(
      nodes: table.manifests, pods: placement.pods, hosts: inventory.cluster?.hostAddresses ?? [],
      keptNodes: keptNodes, keptPods: keptPods)
    try table.givePodCIDRs(
      placement.pods, outsiders: cluster.externalHosts.flatMap(\.addresses), used: &used)
    let clusterIPs = inventory.services.flatMap(\.statedIPs).map(\.value)
    try placement.giveAddresses(table, taken: taken.union(table.nodes.flatMap(\.addresses) + clusterIPs))
    cluster.nodes = table.nodes
    cluster.unseen.podCIDRsOf = Set(table.manifests.filter(\.podCIDRs.isEmpty).map(\.name))
    cluster.pods = placement.pods.map(\.pod)
    podManifests = placement.pods
    terminating = Set(placement.pods.filter(\.isTerminating).map(\.pod.id))
    assumptions += table.notes
  }

  /// kube-proxy's mode as the Cluster document states it, or as objects and k3s's arguments show it.
  private mutating func chooseKubeProxyMode() {
    let (document, ofK3s) = (inventory.cluster, inventory.nodes.values.compactMap(\.k3s?.kubeProxyMode).max())
    if document?.kubeProxyMode != nil { cluster.settings.serviceProxy = .kubeProxy }
    if document?.kubeProxyMode == nil, ofK3s == "ipvs", cluster.settings.serviceProxy == .kubeProxy {
      cluster.settings.serviceProxy = .ipvs
    }
    let isNftables = document?.kubeProxyMode?.isNftables ?? (inventory.kubeProxyMode.isNftables || ofK3s == "nftables")
    let release = document?.kubeProxyRelease ?? inventory.kubeProxyRelease
    cluster.settings.kubeProxy.mode = isNftables ? .nftables(release ?? .latest) : .iptables
    if isNftables, document?.kubeProxyMode == nil || document?.kubeProxyRelease == nil {
      let whose = release == nil ? "the latest known" : "as the input shows"
      assumptions.append(
        Note(.note, "kube-proxy in nftables mode, with the rules of \((release ?? .latest).rawValue): \(whose)"))
    }
  }

  /// Completes the svclb pods, and the status of the Services that they are made for.
  private mutating func addServiceLB() {
    serviceLB?.writeStatus(of: &cluster, families)
    let ranges = Dictionary(inventory.services.map { ($0.service.id, $0.annotatedSourceRanges) }) { first, _ in first }
    let unknown = cluster.connectServiceLB(podManifests, ranges)
    assumptions += (serviceLB?.notes ?? []) + cluster.serviceLBNotes
    if unknown.isEmpty { return }
    assumptions.append(
      Note(
        .warning,
        "svclb pods without a usable environment, or whose Service is not in the input: \(unknown.map(\.description).abridged(to: 5)); their host ports are "
          + "not asked about"))
  }

  private mutating func expandWorkloads(nodes: [Node]) -> [PodManifest] {
    let cap = inventory.options.maxReplicas
    var taken = Set(inventory.pods.map(\.pod.id))
    let workloads = inventory.workloadsWithoutPods
    cluster.templates = workloads.filter { $0.count == .copies(0) }.map {
      Cluster.PodTemplate(namespace: $0.id.namespace, labels: $0.labels)
    }
    let pods = workloads.flatMap { $0.pods(atMost: cap, nodes: nodes, taken: &taken) }
    if !workloads.isEmpty {
      let counts = "\(counted(workloads.count, "workload")) expanded to \(counted(pods.count, "pod"))"
      let cut = workloads.compactMap { workload -> String? in
        guard case .copies(let copies) = workload.count, copies > cap else { return nil }
        return "\(workload.kind) \(workload.id) \(copies)"
      }
      let fewer = cut.isEmpty ? "" : "; --max-replicas gives more to \(cut.abridged())"
      assumptions.append(Note(.note, "\(counts), at most \(cap) each; DaemonSets get one per node\(fewer)"))
    }
    return pods
  }

  /// Stand-in pods if the input, without what a variant adds, has policies and no pods.
  private mutating func standIns(besides pods: [PodManifest], _ families: Set<IPFamily>) -> [PodManifest] {
    let policies = inventory.policies
    guard inventory.options.standsIn, !policies.isEmpty, pods.allSatisfy(\.isAdded) else { return [] }
    let standIns = StandIns(policies, in: inventory.namespaces)
    standInNamespaces = standIns.namespaces
    assumptions += standIns.notes(policies.count, families)
    return standIns.pods
  }

  /// Adds every namespace that contains objects, even if it has no Namespace object.
  private mutating func completeNamespaces() {
    let used =
      cluster.pods.map(\.id.namespace) + cluster.policies.map(\.id.namespace) + cluster.services.map(\.id.namespace)
      + inventory.endpointSlices.map(\.id.namespace)
    let given = Array(inventory.namespaces.values) + standInNamespaces
    let missing = Set(used).subtracting(given.map(\.name))
    cluster.namespaces = (given + missing.map { Namespace(name: $0, isAssumed: true) }).sorted { $0.name < $1.name }
    // The API server creates these itself, with only the name label.
    let remarkable = missing.subtracting(["default", "kube-system", "kube-public", "kube-node-lease"]).sorted()
    if !remarkable.isEmpty {
      assumptions.append(
        Note(.note, "no Namespace object: \(remarkable.abridged(to: 5)); assumed with only the name label"))
    }
  }

  private func checkSettings() throws(ManifestError) {
    guard let document = inventory.cluster else { return }
    if let field = document.announcer, let name = cluster.settings.loadBalancerAnnouncer, cluster.node(name) == nil {
      throw field.error("\(name.quoted) matches no node", "name one of \(cluster.nodes.map(\.name).abridged(to: 5))")
    }
    for gateway in document.serviceGateways where cluster.node(gateway.value) == nil {
      let nodes = cluster.nodes.map(\.name).abridged(to: 5)
      throw gateway.field.error("\(gateway.value.quoted) matches no node", "name one of \(nodes)")
    }
    let parts = cluster.nodes.flatMap(\.podCIDRs) + cluster.strayPodAddresses.values.joined().map { CIDR($0) }
    for network in document.clusterCIDRs {
      let outside = parts.filter { $0.family == network.value.family && !network.value.contains($0) }
      guard let first = outside.min() else { continue }
      let what = first.isHost ? "a pod's address" : "a pod CIDR"
      throw network.field.error("\(network.value) does not hold \(first), \(what)", "give the network of all pods")
    }
    for host in document.hostAddresses {
      for node in cluster.nodes {
        guard let cidr = node.podCIDRs.first(where: { $0.contains(host.value) }) else { continue }
        throw host.field.error(
          "\(host.value) is within \(cidr), a pod CIDR of node \(node.name)", "give the host an address of its own")
      }
    }
  }
}
