extension Cluster {
  /// By node: the addresses of NodeLocal DNS that its cache has bound there.
  public var localDNS: [String: [IPAddress]] {
    let pairs = pods.compactMap { pod -> (String, [IPAddress])? in
      guard let node = pod.node, pod.hostNetwork, !pod.phase.isTerminal, !pod.localDNS.isEmpty else { return nil }
      return (node, pod.localDNS)
    }
    return Dictionary(pairs) { first, _ in first }
  }
}

extension TransportPort {
  /// The ports of DNS, over UDP and TCP.
  public static let dns = [TransportPort(.udp, 53), TransportPort(.tcp, 53)]
}
