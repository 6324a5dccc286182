public import NetpolModel

extension Topology {
  /// The flow from one endpoint to another; nil where one of them has no address of the family, or both are one.
  ///
  /// An endpoint with several addresses uses the first of the family, unless another is asked for.
  public func flow(
    from source: Endpoint, to destination: Endpoint, _ port: TransportPort, _ family: IPFamily,
    sourceAddress: IPAddress? = nil, destinationAddress: IPAddress? = nil
  ) -> Flow? {
    guard let to = destinationAddress ?? address(of: destination, family), to.family == family,
      let from = sourceAddress ?? self.sourceAddress(of: source, towards: to), from.family == family,
      owner(of: to) != owner(of: from) || owner(of: to) == nil
    else { return nil }
    return Flow(from: source, from, to: destination, to, port.transport, port.port)
  }

  /// The first address of the family at which an endpoint listens.
  public func address(of endpoint: Endpoint, _ family: IPFamily) -> IPAddress? {
    let of = { (list: [IPAddress]) in list.first { $0.family == family } }
    switch endpoint {
    case .pod(let id):
      if let place = pods[id] { return of(place.addresses.map(\.address)) }
      return hostNode(of: endpoint).flatMap { of($0.addresses) }
    case .node(let name): return node(name).flatMap { of($0.addresses) }
    case .external(let name): return externals.first { $0.name == name }.flatMap { of($0.addresses) }
    case .address(let address), .virtualAddress(_, let address): return address.family == family ? address : nil
    case .service(let id): return serviceAddresses[id].flatMap(of)
    }
  }

  /// The address that an endpoint's host puts on what it sends there: a node uses its bridge's towards its own pods.
  func sourceAddress(of endpoint: Endpoint, towards destination: IPAddress) -> IPAddress? {
    if let node = hostNode(of: endpoint), let peer = owner(of: destination), case .pod(let id) = peer,
      pods[id]?.node == node.name
    {
      return node.bridge.first { $0.cidr.contains(destination) }?.address ?? node.bridge.first {
        $0.address.family == destination.family
      }?.address ?? address(of: endpoint, destination.family)
    }
    return address(of: endpoint, destination.family)
  }
}
