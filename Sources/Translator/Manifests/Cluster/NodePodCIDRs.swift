internal import NetpolModel

extension NodeTable {
  /// Gives pod CIDRs to nodes without any: the blocks around their pods' addresses. A node without such pods, or with
  /// pods that still need an address, gets the next free block beside those of other nodes, or the next free
  /// 10.42.N.0/24 if nothing shows where pods are. Throws if there is no free block for pods that need an address.
  /// `outsiders` are the addresses of external hosts.
  mutating func givePodCIDRs(_ pods: [PodManifest], outsiders: [IPAddress], used: inout CIDRIndex)
    throws(ManifestError)
  {
    let claims = PodBlocks(pods, declared: nodes, outsiders: outsiders + nodes.flatMap(\.addresses))
    let lacking = nodes.indices.filter { nodes[$0].podCIDRs.isEmpty }
    for index in lacking {
      nodes[index].podCIDRs = claims.blocks(of: nodes[index].name)
      for cidr in nodes[index].podCIDRs { used.insert(cidr) }
    }
    let known = knownBlocks(pods)
    let families = known.isEmpty ? [.v4] : Set(known.map(\.family)).sorted()
    let waiting = Set(pods.filter { !$0.hasStatus && !$0.pod.hostNetwork }.compactMap(\.pod.node))
    var searches: [IPFamily: PodBlockSearch] = [:]
    for family in families { searches[family] = PodBlockSearch(beside: known.filter { $0.family == family }) }
    var usual = PodBlockSearch()
    var assumed: [String] = []
    for index in lacking {
      let name = nodes[index].name
      self.families[name] = families
      guard waiting.contains(name) || !claims.hasPods(name) else { continue }
      for family in families where !nodes[index].podCIDRs.contains(where: { $0.family == family }) {
        guard let block = searches[family]?.next(used) ?? (family == .v4 ? usual.next(used) : nil) else {
          guard waiting.contains(name) else { continue }
          throw ManifestError(
            location: nodes[index].location, object: "Node \(name)", problem: "no network is left for its pods",
            remedy: "give the nodes podCIDRs in a Cluster document")
        }
        nodes[index].podCIDRs.append(block)
        used.insert(block)
        assumed.append("\(name) \(block)")
      }
    }
    if !assumed.isEmpty { notes.append(Note(.note, "pod CIDRs assumed: \(assumed.abridged(to: 5))")) }
  }

  /// The pod CIDRs of all nodes, and the blocks around the addresses of other pods, sorted.
  private func knownBlocks(_ pods: [PodManifest]) -> [CIDR] {
    var index = CIDRIndex()
    for cidr in nodes.flatMap(\.podCIDRs) { index.insert(cidr) }
    let strays = pods.filter { !$0.pod.hostNetwork && !$0.pod.phase.isTerminal }.flatMap(\.addresses).filter {
      !index.overlaps(CIDR($0))
    }
    return Set(nodes.flatMap(\.podCIDRs) + strays.map(CIDRIndex.block)).sorted()
  }
}
