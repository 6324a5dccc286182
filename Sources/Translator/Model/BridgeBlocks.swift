internal import Algorithms

extension Cluster {
  /// By node: the pod CIDRs that can be a bridge's network. Their first address is free for the bridge, no pod has an
  /// address that the network itself uses, and no pod of another node is inside. Pods of other blocks are routed one by
  /// one.
  public var bridgeBlocks: [String: [CIDR]] {
    let others = Set(nodes.flatMap(\.addresses) + externalHosts.flatMap(\.addresses))
    let pods = pods.filter { !$0.hostNetwork && !$0.phase.isTerminal }.flatMap { pod in
      pod.podIPs.map { (address: $0, node: pod.node) }
    }.sorted { $0.address < $1.address }
    let pairs = nodes.map { node in
      let blocks = node.podCIDRs.filter { block in
        let first = block.network.advanced(by: 1)
        guard block.prefixLength <= block.family.bitWidth - 2, !others.contains(first) else { return false }
        let taken = [first, block.network, block.lastAddress]
        let start = pods.partitioningIndex { $0.address >= block.network }
        return pods[start...].prefix { block.contains($0.address) }.allSatisfy { pod in
          pod.node == node.name && !taken.contains(pod.address)
        }
      }
      return (node.name, blocks)
    }
    return Dictionary(pairs) { first, _ in first }
  }
}
