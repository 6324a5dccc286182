internal import NetpolModel

extension Reason {
  /// A sentence without its full stop.
  var text: String {
    switch self {
    case .sameEndpoint: "a pod can always reach itself"
    case .ownNode: "a pod's own node can always reach it"
    case .notIsolated(let direction): "no policy isolates the \(direction.subject) for \(direction.keyword)"
    case .admitted(let direction, let policy, let rule, let peer):
      "\(policy) admits it by \(direction.keyword) rule \(rule)" + (peer.map { ", peer \($0)" } ?? "")
    case .isolated(let direction, let policies):
      "the \(direction.subject) is isolated for \(direction.keyword) by "
        + "\(policies.map(\.description).joined(separator: ", ")), and no rule admits it"
    case .translated(let intermediary, let endpoint, let port, let source):
      "\(intermediary) sends it to \(endpoint) port \(port) with source \(source)"
    case .notYetTranslated(let intermediary, let address, let port):
      "the source's policies see \(address) port \(port), which another node translates for \(intermediary)"
    case .unserved(let intermediary, let address):
      "the port is that of \(intermediary), but it is not served at \(address): the node itself gets the packet"
    case .localDNS(let node, let address):
      "NodeLocal DNS on \(node) answers at \(address): a process of the node, no pod behind a Service"
    case .forwarded(let pod, let address, let port, let sender):
      "\(pod) sends it on to \(address.description(port: port)) with source \(sender)"
    case .outOfForwardRanges(let pod, let sender):
      "\(pod) drops it: its SRC_RANGES don't hold the source \(sender) that it sees"
    case .forwardingLoop(let pod): "\(pod) sends it on in a loop, which only ends when the packet's hops are used up"
    case .hostNetworkPeer(let pod): "\(pod) is on its node's network, so no selector selects it"
    case .outOfSourceRanges(let service):
      "the source is not in loadBalancerSourceRanges of service \(service)"
    case .noEndpoints(let service): "service \(service) has no usable endpoint"
    case .noLocalEndpoints(let service, let node):
      "service \(service) has traffic policy Local and no usable endpoint on \(node)"
    case .unservedClusterIP(let service):
      "service \(service) doesn't serve this port, and kube-proxy's nftables mode refuses all others of its ClusterIP"
    case .unallocatedClusterIP(let address):
      "no service has \(address), and kube-proxy's nftables mode drops what goes to a free address for ClusterIPs"
    }
  }
}

extension Direction {
  /// The end of a flow that a policy of this direction selects.
  fileprivate var subject: String { self == .egress ? "source" : "destination" }
}
