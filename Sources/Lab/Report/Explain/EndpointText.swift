internal import NetpolModel
internal import Text

/// What a Service's endpoints are, where that decides a flow: why none can receive packets, and which of them a node uses.
struct EndpointText {
  private let cluster: Cluster
  private let service: Service

  init?(_ id: NamespacedName, _ cluster: Cluster) {
    guard let service = cluster.service(id) else { return nil }
    self.cluster = cluster
    self.service = service
  }

  /// Why no endpoint can receive packets to a port, as far as the objects tell.
  func absence(_ family: IPFamily, _ port: UInt16?) -> String {
    let all = cluster.slices(of: service.id)
    let members = all.flatMap(\.members)
    if members.isEmpty { return unknownTarget(port) ?? withoutMembers }
    let own = all.filter { $0.family == family }
    if own.isEmpty { return "its endpoints have no \(family.rawValue) address" }
    if let name = unknownPort(own, port) { return name }
    let idle = Set(own.flatMap(\.members).map(name)).sorted()
    let one = idle.count == 1
    let areEnding = own.flatMap(\.members).allSatisfy(\.isTerminating)
    return areEnding
      ? "its \(one ? "endpoint" : "\(idle.count) endpoints") (\(idle.abridged(to: 3))) \(one ? "is" : "are") ending and "
        + "\(one ? "serves" : "serve") no more"
      : one
        ? "its only endpoint, \(idle[0]), is not ready"
        : "none of its \(idle.count) endpoints is ready (\(idle.abridged(to: 3)))"
  }

  private var withoutMembers: String {
    guard let selector = service.selector, !selector.isEmpty else {
      return "it has no selector, and no EndpointSlice names it"
    }
    let text = selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    let place = "namespace \(service.id.namespace)"
    let selected = cluster.pods.filter(service.selects)
    let running = selected.filter { !$0.phase.isTerminal }
    if selected.isEmpty {
      let elsewhere = Set(
        cluster.pods.filter { LabelSelector(matchLabels: selector).matches($0.labels) }.map(\.id.namespace)
      ).sorted()
      return "its selector (\(text)) selects no pod in \(place)"
        + (elsewhere.isEmpty ? "" : "; pods with these labels are in \(elsewhere.abridged(to: 3))")
    }
    if running.isEmpty { return "all pods that its selector (\(text)) selects have ended" }
    let names = running.map(\.id.description).abridged(to: 3)
    return running.allSatisfy(\.podIPs.isEmpty)
      ? "the pods that its selector (\(text)) selects have no address yet: \(names)"
      : "it has no EndpointSlice, although its selector (\(text)) selects \(names)"
  }

  /// Why no slice has a target for the port. `nil` if some slice has one.
  private func unknownPort(_ slices: [EndpointSlice], _ number: UInt16?) -> String? {
    guard let port = port(number) else { return nil }
    let isThere = slices.contains { slice in
      !slice.members.isEmpty
        && slice.ports.contains { ($0.name ?? "") == (port.name ?? "") && $0.transport == port.transport }
    }
    if isThere { return nil }
    guard case .name(let name) = port.targetPort else {
      return "no EndpointSlice has its port \(port.name ?? "\(port.port)")"
    }
    return noContainer(port, name, pods: cluster.pods.filter(service.selects))
  }

  /// The same where no slice was made, since no pod has the port.
  private func unknownTarget(_ number: UInt16?) -> String? {
    let pods = cluster.pods.filter { service.selects($0) && !$0.phase.isTerminal && !$0.podIPs.isEmpty }
    guard !pods.isEmpty, let port = port(number),
      case .name(let name) = port.targetPort, pods.allSatisfy({ $0.numbers(named: name, port.transport).isEmpty })
    else { return nil }
    return noContainer(port, name, pods: pods)
  }

  /// The service's port that a client asks for, by its number or by the node's.
  private func port(_ number: UInt16?) -> Service.Port? {
    service.ports.first { $0.port == number || $0.nodePort == number }
  }

  private func noContainer(_ port: Service.Port, _ name: String, pods: [Pod]) -> String {
    let known = Set(pods.flatMap(\.ports).filter { $0.transport == port.transport }.compactMap(\.name)).sorted()
    return
      "no container of its pods (\(pods.map(\.id.description).abridged(to: 2))) gives a \(port.transport.rawValue) port the "
      + "name \(name), its targetPort" + (known.isEmpty ? "" : "; known: \(known.abridged(to: 4))")
  }

  /// Where its endpoints are that a node with traffic policy Local doesn't use.
  func places(besides node: String, _ family: IPFamily) -> String {
    let members = cluster.slices(of: service.id).filter { $0.family == family }.flatMap(\.members).filter(\.isReady)
    let nodes = Set(members.compactMap(\.node)).sorted()
    if nodes.isEmpty { return "no endpoint is on \(node), and its traffic policy is Local" }
    return "its traffic policy is Local, and its ready endpoints are on \(nodes.abridged(to: 3)), not on \(node)"
  }

  /// Which endpoints the node uses, if hints keep it from using all. `nil` if it uses all.
  func advice(to node: String, _ family: IPFamily) -> String? {
    let members = cluster.slices(of: service.id).filter { $0.family == family }.flatMap(\.members).filter(\.isReady)
    let zone = cluster.node(node)?.zone
    let scopes: [(what: String, hints: KeyPath<EndpointSlice.Member, Set<String>>, name: String?)] = [
      ("node \(node)", \.nodeHints, node), ("zone \(zone ?? "")", \.zoneHints, zone),
    ]
    for (what, hints, name) in scopes {
      guard let name, members.allSatisfy({ !$0[keyPath: hints].isEmpty }) else { continue }
      let meant = Set(members.filter { $0[keyPath: hints].contains(name) }.map(self.name))
      let all = Set(members.map(self.name))
      if meant.isEmpty { continue }
      if meant == all { return nil }
      return "kube-proxy on \(node) sends packets to \(meant.count) of the \(all.count) endpoints of Service "
        + "\(service.id) only: the hints name \(what) for \(meant.sorted().abridged(to: 3))"
    }
    return nil
  }

  private func name(_ member: EndpointSlice.Member) -> String { member.pod?.description ?? "\(member.address)" }
}
