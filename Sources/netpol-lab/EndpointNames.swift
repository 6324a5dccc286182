import NetpolModel

/// Endpoints as a user writes them.
struct EndpointNames {
  private let cluster: Cluster

  init(_ cluster: Cluster) { self.cluster = cluster }

  /// `namespace/pod`, `node/NAME`, `external/NAME`, or an address.
  func endpoint(_ text: String, option: String) throws -> Endpoint {
    if let address = IPAddress(text) {
      if address.isLoopback {
        throw InputError(
          "\(option) \(text): what is sent to a loopback address leaves no pod; an Expectations document can ask it")
      }
      return owner(address) ?? .address(address)
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 3, parts[0] == "service" || parts[1] == "Service" {
      let id = NamespacedName(parts[0] == "service" ? parts[1] : parts[0], parts[2])
      if cluster.service(id) != nil { return .service(id) }
      let known = cluster.services.filter { $0.id.namespace == id.namespace }.map(\.id.name)
      throw InputError("\(option) \(text): no such service; known there: \(known.joined(separator: ", "))")
    }
    // As reports name it: vip/namespace/name/ADDRESS.
    if parts.count == 4, parts[0] == "vip", let address = IPAddress(parts[3]),
      case .virtualAddress? = owner(address)
    {
      return .virtualAddress(NamespacedName(parts[1], parts[2]), address)
    }
    guard parts.count == 2 else {
      throw InputError(
        "\(option) \(text): write namespace/pod, service/namespace/name, node/NAME, external/NAME or an address")
    }
    if cluster.pod(PodID(parts[0], parts[1])) != nil { return .pod(PodID(parts[0], parts[1])) }
    if parts[0] == "node", cluster.node(parts[1]) != nil { return .node(parts[1]) }
    if parts[0] == "external", cluster.externalHost(parts[1]) != nil { return .external(parts[1]) }
    let known =
      switch parts[0] {
      case "node": cluster.nodes.map(\.name)
      case "external": cluster.externalHosts.map(\.name)
      default: cluster.pods.filter { $0.id.namespace == parts[0] }.map(\.id.name)
      }
    let hint = known.isEmpty ? "there is nothing in \(parts[0])" : "known there: \(known.joined(separator: ", "))"
    throw InputError("\(option) \(text): no such endpoint; \(hint)")
  }

  private func owner(_ address: IPAddress) -> Endpoint? {
    if let pod = cluster.pods.first(where: { !$0.hostNetwork && $0.podIPs.contains(address) }) { return .pod(pod.id) }
    if let node = cluster.nodes.first(where: { $0.addresses.contains(address) }) { return .node(node.name) }
    if let service = cluster.serviceEndpoint(at: address) { return service }
    return cluster.externalHosts.first { $0.addresses.contains(address) }.map { .external($0.name) }
  }
}

/// `80`, `TCP/80`, `80/udp`.
func transportPort(_ text: String) throws -> TransportPort {
  let parts = text.split(separator: "/").map(String.init)
  if parts.count == 1, let port = UInt16(parts[0]), port > 0 { return TransportPort(.tcp, port) }
  for (transport, port) in [(parts.first, parts.last), (parts.last, parts.first)] where parts.count == 2 {
    if let transport = transport.flatMap({ Transport(rawValue: $0.uppercased()) }),
      let port = port.flatMap(UInt16.init),
      port > 0
    {
      return TransportPort(transport, port)
    }
  }
  throw InputError("--port \(text): write a number from 1 to 65535, with TCP/, UDP/ or SCTP/ before it")
}
