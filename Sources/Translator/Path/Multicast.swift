internal import NetpolModel

extension Topology {
  /// Follows a packet to a multicast group, up to the listener that the flow names.
  ///
  /// A bridge floods the packet to its own ports. Nothing routes groups here, as on a k3s node, so the packet leaves no
  /// bridge for another network. VXLAN does not carry it either, because flannel's forwarding entries contain no
  /// groups.
  func walkToGroup(_ flow: Flow, asking judge: (Position, Packet) throws -> Passage) rethrows -> Walk {
    var packet = Packet(first: flow)
    let hooks: [Position]
    switch (flow.source, flow.destination) {
    case (.pod(let sender), .pod(let listener)) where pods[sender] != nil && pods[sender]?.node == pods[listener]?.node:
      let node = pods[sender]?.node ?? ""
      packet.isBridged = bridgeNetfilter
      hooks = bridgeNetfilter ? [Hook.prerouting, .forward, .postrouting].map { Position(node: node, hook: $0) } : []
    case (.pod(let sender), let listener)
    where pods[sender] != nil && hostNode(of: listener)?.name == pods[sender]?.node:
      hooks = [Hook.prerouting, .input].map { Position(node: pods[sender]?.node ?? "", hook: $0) }
    case (let sender, .external) where hostNode(of: sender) != nil:
      hooks = [Hook.output, .postrouting].map { Position(node: hostNode(of: sender)?.name ?? "", hook: $0) }
    case (.external, let listener) where hostNode(of: listener) != nil:
      hooks = [Hook.prerouting, .input].map { Position(node: hostNode(of: listener)?.name ?? "", hook: $0) }
    default:
      return Walk(positions: [], end: .noRoute(.group))
    }
    var positions: [Position] = []
    for position in hooks {
      positions.append(position)
      guard case .passed(let passed) = try judge(position, packet) else {
        return Walk(positions: positions, end: .stopped(at: position))
      }
      packet = passed
    }
    return Walk(positions: positions, end: .delivered(to: flow.destination))
  }
}
