internal import NetpolModel

/// The inventory's objects made into one cluster.
struct Assembly {
  private let inventory: Inventory
  private(set) var cluster: Cluster
  private var assumptions: [Note] = []

  var notes: [Note] { inventory.notes + cluster.settings.remarks + assumptions }

  init(_ inventory: Inventory) throws(ManifestError) {
    self.inventory = inventory
    cluster = Cluster(
      services: inventory.services.sorted { $0.id < $1.id }, policies: inventory.policies.sorted { $0.id < $1.id },
      externalHosts: inventory.cluster?.externalHosts ?? [], settings: inventory.cluster?.settings ?? .init())
    try place()
    completeNamespaces()
    try checkSettings()
  }

  private mutating func place() throws(ManifestError) {
    var table = try NodeTable(inventory)
    var placement = Placement(inventory.pods + expandWorkloads(nodes: table.names))
    placement.schedule(on: table)

    let outside = cluster.externalHosts.flatMap(\.addresses) + table.nodes.flatMap(\.addresses)
    let taken = Set(placement.pods.flatMap(\.addresses) + outside)
    let declared = table.nodes.flatMap(\.podCIDRs)
    var used = CIDRIndex()
    for cidr in declared + cluster.settings.serviceCIDRs { used.insert(cidr) }
    // A wide network behind a host leaves room: the longer prefix wins. A narrow one is in the way.
    for cidr in cluster.externalHosts.flatMap(\.networks) where cidr.prefixLength >= 24 { used.insert(cidr) }
    for address in taken.union(placement.hostIPs.values.joined().map(\.value)) { used.insert(CIDR(address)) }

    let hasIPv6 =
      declared.contains { $0.family == .v6 }
      || placement.pods.contains { $0.addresses.contains { $0.family == .v6 } }
    try table.giveAddresses(hostIPs: placement.hostIPs, used: &used, hasIPv6: hasIPv6)
    try AddressBook.check(
      nodes: table.manifests, pods: placement.pods, hosts: inventory.cluster?.hostAddresses ?? [])
    try table.givePodCIDRs(placement.pods, used: &used)
    try placement.giveAddresses(table, taken: taken.union(table.nodes.flatMap(\.addresses)))
    cluster.nodes = table.nodes
    cluster.pods = placement.pods.map(\.pod)
    assumptions += table.notes
  }

  private mutating func expandWorkloads(nodes: [String]) -> [PodManifest] {
    let cap = inventory.options.maxReplicas
    var taken = Set(inventory.pods.map(\.pod.id))
    let workloads = inventory.workloadsWithoutPods
    let pods = workloads.flatMap { $0.pods(atMost: cap, nodes: nodes, taken: &taken) }
    if !workloads.isEmpty {
      let counts = "\(workloads.count.of("workload")) expanded to \(pods.count.of("pod"))"
      assumptions.append(Note(.note, "\(counts), at most \(cap) each; DaemonSets have one a node"))
    }
    return pods
  }

  /// Namespaces that objects are in exist, whether or not they have an object.
  private mutating func completeNamespaces() {
    let ids = cluster.pods.map(\.id) + cluster.policies.map(\.id) + cluster.services.map(\.id)
    let missing = Set(ids.map(\.namespace)).subtracting(inventory.namespaces.keys)
    cluster.namespaces = (inventory.namespaces.values + missing.map { Namespace(name: $0) }).sorted {
      $0.name < $1.name
    }
    // The API server makes these itself, with the name label alone.
    let remarkable = missing.subtracting(["default", "kube-system", "kube-public", "kube-node-lease"]).sorted()
    if !remarkable.isEmpty {
      assumptions.append(
        Note(.note, "no Namespace object: \(remarkable.abridged(to: 5)); assumed with the name label alone"))
    }
  }

  private func checkSettings() throws(ManifestError) {
    guard let document = inventory.cluster else { return }
    if let field = document.announcer, let name = cluster.settings.loadBalancerAnnouncer, cluster.node(name) == nil {
      throw field.error("\(name.quoted) is no node", "name one of \(cluster.nodes.map(\.name).abridged(to: 5))")
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
