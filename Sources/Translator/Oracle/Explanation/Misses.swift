internal import NetpolModel

extension Oracle {
  /// The conditions of a peer that the flow's other end does not meet, in the order in which they are written. Empty
  /// exactly if the peer admits it.
  func misses(_ peer: NetworkPolicy.Peer, _ end: Flow.End, from namespace: String) -> [Miss] {
    switch peer {
    case .block(let block):
      let address = end.address
      if address.family != block.cidr.family { return [.otherFamily(block.cidr, address)] }
      if !block.cidr.contains(address) { return [.outsideBlock(block.cidr, address)] }
      return block.except.firstIndex { $0.contains(address) }.map { [.excepted(block.except[$0], address, entry: $0)] }
        ?? []
    case .pods(let scope, let selector):
      guard let pod = selectablePod(end.endpoint) else {
        if case .pod(let id) = end.endpoint, pods[id]?.hostNetwork == true { return [.hostNetwork(id, end.address)] }
        return [.notAPod(end.endpoint, end.address)]
      }
      var misses: [Miss] = []
      switch scope {
      case .own: if pod.id.namespace != namespace { misses.append(.otherNamespace(own: namespace, pod.id)) }
      case .matching(let selector):
        let labels = labels(ofNamespace: pod.id.namespace)
        let isAssumed = assumedNamespaces.contains(pod.id.namespace)
        misses += selector.misses(labels).map { miss in
          isAssumed && miss.value == nil
            ? .unknownNamespace(miss, pod.id.namespace) : .namespaceLabel(miss, of: pod.id.namespace)
        }
      }
      return misses + selector.misses(pod.labels).map { .podLabel($0, of: pod.id) }
    }
  }

  /// The conditions of an entry of `ports` that the flow does not meet. Empty exactly if the entry admits it.
  func misses(_ port: NetworkPolicy.PortRule, _ flow: Flow) -> [Miss] {
    guard let asked = flow.transportPort else { return [.noPorts] }
    var misses: [Miss] = []
    if port.transport != asked.transport { misses.append(.otherTransport(port.transport, asked: asked.transport)) }
    switch port.number {
    case .any: break
    case .number(let first, let last):
      let range = PortRange(first, last ?? first)
      if !range.contains(asked.port) { misses.append(.otherPort(range, asked: asked.port)) }
    case .name(let name):
      guard let pod = selectablePod(flow.destination) else {
        misses.append(.nameWithoutPod(name, flow.destination))
        break
      }
      let numbers = pod.numbers(named: name, port.transport)
      if numbers.isEmpty {
        misses.append(.unknownName(name, port.transport, pod.id))
      } else if !numbers.contains(asked.port) {
        misses.append(.otherNamedPort(name, numbers.sorted(), asked: asked.port))
      }
    }
    return misses
  }
}
