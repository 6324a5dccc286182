internal import NetpolModel

extension [NodeManifest] {
  /// Checks that no two nodes' pod CIDRs overlap, and that the first address of each is usable for the node's bridge.
  func checkPodCIDRs() throws(ManifestError) {
    var claims: [(node: String, cidr: Stated<CIDR>)] = []
    for node in self {
      for cidr in node.podCIDRs {
        claims.append((node.name, cidr))
        let first = cidr.value.network.advanced(by: 1)
        guard !cidr.value.isHost, let obstacle = first.obstacle else { continue }
        throw cidr.field.error(
          "\(first), the bridge's address in \(cidr.value), is \(obstacle)", "give the node another pod CIDR")
      }
    }
    claims.sort { ($0.cidr.value, $0.node) < ($1.cidr.value, $1.node) }
    // Networks are nested or disjoint. So a network that overlaps an earlier one lies inside the last outermost one.
    var outer = claims.first
    for claim in claims.dropFirst() {
      guard let holder = outer, holder.cidr.value.contains(claim.cidr.value) else {
        outer = claim
        continue
      }
      if holder.node == claim.node { continue }
      throw claim.cidr.field.error(
        "\(claim.cidr.value) overlaps \(holder.cidr.value) of node \(holder.node) (\(holder.cidr.field.location))",
        "give each node pod CIDRs of its own")
    }
  }
}
