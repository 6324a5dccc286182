internal import NetpolModel

/// The nodes sorted by name, and the assumptions made about them.
struct NodeTable {
  var nodes: [Node]
  /// The same nodes with the addresses and pod CIDRs that the input states.
  private(set) var manifests: [NodeManifest]
  private let positions: [String: Int]
  /// The families in which a pod without a status gets an address: those of the node's declared pod CIDRs, or else those
  /// of all pods.
  var families: [String: [IPFamily]]
  var notes: [Note] = []

  var names: [String] { nodes.map(\.name) }
  subscript(name: String) -> Node? { positions[name].map { nodes[$0] } }

  /// The nodes are the Node objects, the entries of the Cluster document and the nodes that pods name. If there are
  /// none, a single `node1`. The nodes of `pins` are added with what they had.
  init(_ inventory: Inventory, _ pins: Pins) throws(ManifestError) {
    var byName = inventory.nodes
    for entry in inventory.cluster?.nodes ?? [] {
      var node = byName[entry.name] ?? entry
      if !entry.addresses.isEmpty { node.addresses = entry.addresses }
      if !entry.podCIDRs.isEmpty { node.podCIDRs = entry.podCIDRs }
      byName[entry.name] = node
    }
    var implied: [String] = []
    let named =
      inventory.pods.map { ($0.pod.node, $0.pod.location) }
      + inventory.workloadsWithoutPods.map { ($0.spec.nodeName, $0.location) }
    for case (let name?, let location) in named where byName[name] == nil {
      implied.append(name)
      byName[name] = NodeManifest(name: name, location: location)
    }
    for node in pins.nodes where byName[node.name] == nil {
      byName[node.name] = NodeManifest(name: node.name, location: node.location)
    }
    if !inventory.nodes.isEmpty, !implied.isEmpty {
      notes.append(Note(.note, "no Node object: \(implied.sorted().abridged()); assumed because a pod names it"))
    }
    if byName.isEmpty { byName["node1"] = NodeManifest(name: "node1") }
    manifests = byName.values.sorted { $0.name < $1.name }
    try manifests.checkPodCIDRs()
    nodes = manifests.map(\.node)
    positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.name, $0) })
    families = byName.mapValues { node in
      node.podCIDRs.isEmpty ? [.v4] : Set(node.podCIDRs.map(\.value.family)).sorted()
    }
    for node in pins.nodes { try keep(node) }
  }

  /// Gives a node what it had in the base cluster, unless the input states something else.
  private mutating func keep(_ pinned: Node) throws(ManifestError) {
    guard let index = positions[pinned.name] else { return }
    if pinned.addresses.starts(with: nodes[index].addresses) { nodes[index].addresses = pinned.addresses }
    guard nodes[index].podCIDRs.isEmpty else { return }
    nodes[index].podCIDRs = pinned.podCIDRs
    if !pinned.podCIDRs.isEmpty { families[pinned.name] = Set(pinned.podCIDRs.map(\.family)).sorted() }
    for other in manifests where other.name != pinned.name {
      for cidr in other.podCIDRs {
        guard let own = pinned.podCIDRs.first(where: cidr.value.overlaps) else { continue }
        throw cidr.field.error(
          "\(cidr.value) overlaps \(own) of node \(pinned.name)", "give each node pod CIDRs of its own")
      }
    }
  }

  /// Gives addresses to nodes without any: the `hostIP` of their pods, or the next free address from 172.30.0.11. If
  /// the cluster has IPv6, a node without an IPv6 address gets the next free one from fd00:30::11.
  mutating func giveAddresses(hostIPs: [String: [Stated<IPAddress>]], used: inout CIDRIndex, hasIPv6: Bool)
    throws(ManifestError)
  {
    var assumed: [String] = []
    let lacking = nodes.indices.filter { nodes[$0].addresses.isEmpty }
    for index in lacking {
      manifests[index].addresses = hostIPs[nodes[index].name] ?? []
      nodes[index].addresses = manifests[index].addresses.map(\.value)
    }
    var next = [IPAddress(v4: 0xac1e_000b)] + (hasIPv6 ? [IPAddress(v6: 0xfd00_0030 << 96 | 0x11)] : [])
    for index in nodes.indices {
      let own = nodes[index].addresses
      let missing = next.indices.filter { entry in
        own.isEmpty || next[entry].family == .v6 && !own.contains { $0.family == .v6 }
      }
      if missing.isEmpty { continue }
      for family in missing {
        let start = next[family]
        while used.overlaps(CIDR(next[family])), next[family] < start.advanced(by: 0x10000) {
          next[family] = next[family].advanced(by: 1)
        }
        guard !used.overlaps(CIDR(next[family])) else {
          throw ManifestError(
            location: nodes[index].location, object: "Node \(nodes[index].name)",
            problem: "no free address near \(start)", remedy: "set its addresses in a Cluster document")
        }
        nodes[index].addresses.append(next[family])
        used.insert(CIDR(next[family]))
      }
      let given = nodes[index].addresses.dropFirst(own.count).map(\.description).joined(separator: " ")
      assumed.append("\(nodes[index].name) \(given)")
    }
    if !assumed.isEmpty { notes.append(Note(.note, "node addresses assumed: \(assumed.abridged(to: 5))")) }
  }
}
