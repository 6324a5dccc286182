internal import NetpolModel

/// The pod CIDRs that a dump without Node objects implies: each /24 or /64 with addresses of a node's pods.
struct PodBlocks {
  private var blocks: [String: Set<CIDR>] = [:]

  /// A block counts for a node if no pod of another node and none of `outsiders` (addresses of nodes and external hosts)
  /// is in it, and no other node has declared part of it. Host-network pods have their node's address and are ignored.
  init(_ pods: [PodManifest], declared nodes: [Node], outsiders: [IPAddress]) {
    let blocksOfOutsiders = Set(outsiders.map(CIDRIndex.block))
    var index = CIDRIndex()
    for node in nodes { for cidr in node.podCIDRs { index.insert(cidr, owner: node.name) } }
    var holders: [CIDR: Set<String?>] = [:]
    for pod in pods where !pod.pod.hostNetwork {
      for address in pod.addresses { holders[CIDRIndex.block(of: address), default: []].insert(pod.pod.node) }
      if let node = pod.pod.node, !pod.addresses.isEmpty { blocks[node, default: []] = blocks[node, default: []] }
    }
    for (block, nodes) in holders where nodes.count == 1 {
      guard case let node?? = nodes.first, !blocksOfOutsiders.contains(block),
        index.owners(overlapping: block).subtracting([node]).isEmpty
      else { continue }
      blocks[node, default: []].insert(block)
    }
  }

  /// Whether the node has pods with addresses of their own.
  func hasPods(_ node: String) -> Bool { blocks[node] != nil }
  func blocks(of node: String) -> [CIDR] { (blocks[node] ?? []).sorted() }
}
