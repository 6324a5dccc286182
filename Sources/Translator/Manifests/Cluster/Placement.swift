internal import NetpolModel

/// Gives pods what a scheduler and a network plugin would: a node and addresses.
struct Placement {
  /// Sorted by namespace and name.
  private(set) var pods: [PodManifest]
  private let pins: Pins

  init(_ pods: [PodManifest], _ pins: Pins) {
    self.pods = pods.sorted { $0.pod.id < $1.pod.id }
    self.pins = pins
  }

  /// Assigns nodes to pods without one: the node that `status.hostIP` or `nodeSelector` names, or the node whose pod
  /// CIDR contains the address. The rest are distributed round-robin, but no node gets a host port twice. A pod whose
  /// status has no address stays unscheduled, and so does one whose host ports no node has free. A pod in `pins` stays
  /// on its old node.
  mutating func schedule(on table: NodeTable) {
    var turn = 0
    var taken: [String: Set<TransportPort>] = [:]
    for manifest in pods {
      if let node = manifest.pod.node { taken[node, default: []].formUnion(manifest.pod.hostPorts.map(\.port)) }
    }
    let byAddress = Dictionary(
      table.nodes.flatMap { node in node.addresses.map { ($0, node.name) } }, uniquingKeysWith: { first, _ in first })
    for index in pods.indices where pods[index].pod.node == nil {
      let manifest = pods[index]
      let ports = Set(manifest.pod.hostPorts.map(\.port))
      defer { if let node = pods[index].pod.node { taken[node, default: []].formUnion(ports) } }
      if manifest.hasStatus, manifest.addresses.isEmpty { continue }
      let pinned = pins.pods[manifest.pod.id]?.node.flatMap { table[$0] == nil ? nil : $0 }
      if let pinned, !manifest.isAdded {
        pods[index].pod.node = pinned
        continue
      }
      let host = manifest.pod.hostIP.flatMap { byAddress[$0] }
      if let name = host ?? manifest.hostname, table[name] != nil {
        pods[index].pod.node = name
      } else if let home = table.home(of: manifest.addresses) {
        pods[index].pod.node = home
      } else if let pinned {
        pods[index].pod.node = pinned
      } else {
        let count = table.names.count
        let free = (turn..<turn + count).first { ports.isDisjoint(with: taken[table.names[$0 % count]] ?? []) }
        guard let free else { continue }
        pods[index].pod.node = table.names[free % count]
        turn += 1
      }
    }
  }

  /// `status.hostIP` of the pods on each node, without duplicates.
  var hostIPs: [String: [Stated<IPAddress>]] {
    var result: [String: [Stated<IPAddress>]] = [:]
    for manifest in pods {
      guard let node = manifest.pod.node, let address = manifest.statedHostIP else { continue }
      if result[node]?.contains(where: { $0.value == address.value }) != true {
        result[node, default: []].append(address)
      }
    }
    return result
  }

  /// The base cluster's pods whose addresses are kept by pods without a status.
  var kept: [Pod] { pods.compactMap { pins.addresses(for: $0) } }

  /// Gives addresses to pods without a status, sorted by namespace and name: the ones they had, or the next free ones
  /// on their node.
  mutating func giveAddresses(_ table: NodeTable, taken: Set<IPAddress>) throws(ManifestError) {
    var pool = AddressPool(taken: taken.union(IPAddress.ownedByLab).union(kept.flatMap(\.podIPs)))
    for index in pods.indices where !pods[index].hasStatus {
      guard let name = pods[index].pod.node, let node = table[name] else { continue }
      var addresses: [IPAddress] = []
      if let pinned = pins.addresses(for: pods[index]) {
        addresses = pinned.podIPs
      } else if pods[index].pod.hostNetwork {
        addresses = IPFamily.allCases.compactMap(node.address)
      } else {
        for family in table.families[name] ?? [.v4] {
          let cidrs = node.podCIDRs.filter { $0.family == family }
          guard let address = pool.next(in: cidrs) else {
            throw Self.exhausted(pods[index].pod, node, cidrs)
          }
          addresses.append(address)
        }
      }
      pods[index].pod.podIPs = addresses
      pods[index].pod.podIP = addresses.first
      pods[index].pod.hostIP = node.addresses.first
    }
  }

  private static func exhausted(_ pod: Pod, _ node: Node, _ cidrs: [CIDR]) -> ManifestError {
    ManifestError(
      location: pod.location, object: "Pod \(pod.id)",
      problem: "no address is left in \(cidrs.map(\.description).joined(separator: ", ")) of node \(node.name)",
      remedy: "give the node wider podCIDRs in a Cluster document")
  }
}

extension NodeTable {
  /// The node whose declared pod CIDRs contain one of the addresses.
  fileprivate func home(of addresses: [IPAddress]) -> String? {
    guard !addresses.isEmpty else { return nil }
    return nodes.first { $0.podCIDRs.contains { cidr in addresses.contains { cidr.contains($0) } } }?.name
  }
}
