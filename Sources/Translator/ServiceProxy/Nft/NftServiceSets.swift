internal import NetpolModel
internal import RuleIR

// The sets and maps of all service ports.
extension KubeProxyNft {
  func sets() -> [NamedSet] {
    let addresses = { (name: SetName, members: [IPAddress], comment: String) in
      NamedSet(
        name: name, family: family, kind: .addresses, members: Set(members).sorted().map { .init(CIDR($0)) },
        comment: comment)
    }
    let clusterIPs = addresses(KubeProxyNftNames.clusterIPs, ports.map(\.clusterIP), "Active ClusterIPs")
    guard let nodePortAddresses else { return [clusterIPs] }
    return [
      clusterIPs, addresses(KubeProxyNftNames.nodePortIPs, nodePortAddresses, "IPs that accept NodePort traffic"),
    ]
  }

  func keyedSets() -> [KeyedSet] {
    let map = { (name: SetName, key: [PacketField], elements: [KeyedSet.Element], comment: String) in
      KeyedSet(
        name: name, family: family, fields: key.map(\.type), content: .verdicts, elements: elements.unique,
        comment: comment)
    }
    let maps = [
      map(
        KubeProxyNftNames.noEndpointServices, Self.addressKey, ports.flatMap(refusals),
        "vmap to drop or reject packets to services with no endpoints"),
      map(
        KubeProxyNftNames.noEndpointNodePorts, Self.nodePortKey, ports.compactMap(nodePortRefusal),
        "vmap to drop or reject packets to service nodeports with no endpoints"),
      map(
        KubeProxyNftNames.firewallIPs, Self.addressKey,
        ports.filter(\.restrictsSources).flatMap { port in
          port.loadBalancerIPs.map { element(port, at: $0, .goto(port.nftChain(.firewall))) }
        }, "destinations that are subject to LoadBalancerSourceRanges"),
      map(
        KubeProxyNftNames.serviceIPs, Self.addressKey, ports.flatMap(captures),
        "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
      map(
        KubeProxyNftNames.serviceNodePorts, Self.nodePortKey, ports.compactMap(nodePortCapture), "NodePort traffic"),
    ]
    return release < .v36 ? maps : maps + [hairpinConnections()]
  }

  private func captures(_ port: ServicePort) -> [KeyedSet.Element] {
    guard port.endpoints.exist else { return [] }
    return (port.hasInternalEndpoints ? [element(port, at: port.clusterIP, .goto(port.nftInternalChain))] : [])
      + (port.externalIPs + port.loadBalancerIPs).map { element(port, at: $0, .goto(port.nftChain(.external))) }
  }

  private func nodePortCapture(_ port: ServicePort) -> KeyedSet.Element? {
    port.endpoints.exist ? element(port, .goto(port.nftChain(.external))) : nil
  }

  /// What is in here and in `service-ips` too is the way of those that may use endpoints of other nodes.
  private func refusals(_ port: ServicePort) -> [KeyedSet.Element] {
    let verdict = refusal(port)
    return (port.hasInternalEndpoints ? [] : [element(port, at: port.clusterIP, verdict, comment: port.nftComment)])
      + (port.hasExternalEndpoints ? [] : port.externalIPs + port.loadBalancerIPs).map {
        element(port, at: $0, verdict, comment: port.nftComment)
      }
  }

  private func nodePortRefusal(_ port: ServicePort) -> KeyedSet.Element? {
    port.hasExternalEndpoints ? nil : element(port, refusal(port), comment: port.nftComment)
  }

  private func refusal(_ port: ServicePort) -> KeyedSet.Verdict {
    port.endpoints.exist ? .drop : .goto(KubeProxyNftNames.rejection)
  }

  private func element(
    _ port: ServicePort, at address: IPAddress, _ verdict: KeyedSet.Verdict, comment: String? = nil
  ) -> KeyedSet.Element {
    KeyedSet.Element(
      [address.bits, UInt128(port.port.transport.number), UInt128(port.port.port)], .verdict(verdict), comment: comment)
  }

  /// `nil` if the port has no NodePort.
  private func element(_ port: ServicePort, _ verdict: KeyedSet.Verdict, comment: String? = nil) -> KeyedSet.Element? {
    port.port.nodePort.map {
      KeyedSet.Element([UInt128(port.port.transport.number), UInt128($0)], .verdict(verdict), comment: comment)
    }
  }

  /// The connections of this node's endpoints to themselves. Their replies would not pass the node.
  private func hairpinConnections() -> KeyedSet {
    let elements = ports.flatMap { port in
      port.endpoints.reachable.filter(\.isLocal).map { endpoint in
        KeyedSet.Element([
          endpoint.address.bits, endpoint.address.bits, UInt128(port.port.transport.number), UInt128(endpoint.port),
        ])
      }
    }
    return KeyedSet(
      name: KubeProxyNftNames.hairpinConnections, family: family, fields: [.address, .address, .transport, .port],
      elements: elements.unique, comment: "service hairpin connections")
  }
}

extension [KeyedSet.Element] {
  /// The first element for each key, sorted by key. If services claim one address and port, or one NodePort, kube-proxy
  /// keeps the one that it comes to last, in the order of a Go map. Here it is the first by name.
  fileprivate var unique: [KeyedSet.Element] {
    var seen: Set<[UInt128]> = []
    return filter { seen.insert($0.key).inserted }.sorted(by: KeyedSet.Element.precedes)
  }
}

extension ServicePort {
  /// At most what nft accepts. Before 1.36 kube-proxy didn't cut it, and nft refused longer ones.
  fileprivate var nftComment: String { String(decoding: name.utf8.prefix(128), as: UTF8.self) }
}
