public import NetpolModel

extension Topology {
  /// Returns the flow from one endpoint to another, or `nil` if one of them has no address of the family or both are
  /// the same machine. With `toItself` a node may send to itself.
  ///
  /// An endpoint with several addresses uses the first of the family, unless another one is given.
  public func flow(
    from source: Endpoint, to destination: Endpoint, _ question: Flow.Question, _ family: IPFamily,
    sourceAddress: IPAddress? = nil, destinationAddress: IPAddress? = nil, toItself: Bool = false
  ) -> Flow? {
    guard let to = destinationAddress ?? address(of: destination, family), to.family == family,
      let from = sourceAddress ?? self.sourceAddress(of: source, towards: to), from.family == family,
      owner(of: to) != owner(of: from) || owner(of: to) == nil || toItself && hostNode(of: source) != nil
    else { return nil }
    return Flow(from: source, from, to: destination, to, question)
  }

  public func flow(
    from source: Endpoint, to destination: Endpoint, _ port: TransportPort, _ family: IPFamily,
    sourceAddress: IPAddress? = nil, destinationAddress: IPAddress? = nil
  ) -> Flow? {
    flow(
      from: source, to: destination, .port(port), family, sourceAddress: sourceAddress,
      destinationAddress: destinationAddress)
  }

  /// The first address of the family that an endpoint listens on.
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

  /// The source address of packets that an endpoint's host sends to the destination, which is that of the outgoing
  /// interface: a node's bridge towards its own pods, its tunnel towards what is on the other side of it, otherwise its
  /// own.
  func sourceAddress(of endpoint: Endpoint, towards destination: IPAddress) -> IPAddress? {
    let family = destination.family
    if destination.isLoopback { return hostNode(of: endpoint).map { _ in IPAddress.loopback(family) } }
    // To itself a node sends with the address that it sends to.
    if hostNode(of: endpoint)?.privateAddresses.contains(destination) == true { return destination }
    guard let node = hostNode(of: endpoint), let peer = owner(of: destination) else {
      return address(of: endpoint, family)
    }
    switch peer {
    case .pod(let id):
      guard let place = pods[id].flatMap({ self.node($0.node) }) else { break }
      if place.name == node.name {
        return node.bridge.first { $0.cidr.contains(destination) }?.address
          ?? node.bridge.first { $0.address.family == family }?.address ?? address(of: endpoint, family)
      }
      if node.isTunnelled(to: place, family) { return node.tunnel(family) }
    case .node(let name):
      // As above.
      if name == node.name { return destination }
      // A node's bridge and tunnel addresses are in its pod CIDR, and so behind the tunnel.
      if let place = self.node(name), !place.addresses.contains(destination), node.isTunnelled(to: place, family) {
        return node.tunnel(family)
      }
    case .external, .address, .service, .virtualAddress: break
    }
    return address(of: endpoint, family)
  }
}
