internal import NetpolModel

/// Ports of rules.
extension Linter {
  func ports(_ policy: NetworkPolicy, _ place: RulePlace, _ selected: [Pod]) -> [LintFinding] {
    names(policy, place, selected) + (place.direction == .egress ? dns(policy, place, selected) : [])
  }

  /// Names that no container gives a port.
  private func names(_ policy: NetworkPolicy, _ place: RulePlace, _ selected: [Pod]) -> [LintFinding] {
    place.rule.ports.list.enumerated().compactMap { number, port in
      guard case .name(let name) = port.number, let pods = receivers(policy, place, selected), !pods.isEmpty,
        pods.allSatisfy({ $0.numbers(named: name, port.transport).isEmpty })
      else { return nil }
      let others = Set(pods.flatMap(\.ports).filter { $0.transport == port.transport }.compactMap(\.name)).sorted()
      return LintFinding(
        .missUnknownName, .error, policy, place.port(number),
        "no container of \(pods.map(\.id.description).abridged(to: 3)) gives a \(port.transport.rawValue) port the name \(name)"
          + (others.isEmpty ? "" : "; known: \(others.abridged(to: 4))")
          + (place.opensAll ? "; under kube-router the rule then admits every port (D2)" : ""),
        remedy: "name a port that they have, or write its number")
    }
  }

  /// The pods that a rule's ports are ports of. `nil`: not only pods.
  private func receivers(_ policy: NetworkPolicy, _ place: RulePlace, _ selected: [Pod]) -> [Pod]? {
    if place.direction == .ingress { return selected.filter { !$0.hostNetwork } }
    if case .any = place.rule.peers { return podsIn.values.flatMap(\.self).sorted { $0.id < $1.id } }
    var pods: [Pod] = []
    for peer in place.rule.peers.list {
      guard let own = self.pods(peer, of: policy) else { return nil }
      pods += own
    }
    return pods
  }

  /// DNS over UDP alone: long answers come over TCP.
  private func dns(_ policy: NetworkPolicy, _ place: RulePlace, _ selected: [Pod]) -> [LintFinding] {
    guard let number = place.rule.ports.list.firstIndex(where: { $0.includes(.udp, 53) && $0.isSingle }),
      !place.rule.ports.includes(.tcp, 53)
    else { return [] }
    let lacking = selected.filter { pod in
      !policies(isolating: pod, .egress).flatMap(\.egress).contains { $0.ports.includes(.tcp, 53) }
    }
    if lacking.isEmpty { return [] }
    return [
      LintFinding(
        .lintDNSOverUDP, .warning, policy, place.port(number),
        "admits DNS over UDP alone, and no policy of \(lacking.map(\.id.description).abridged(to: 2)) admits it over TCP: long "
          + "answers are lost",
        remedy: "add {protocol: TCP, port: 53} beside it",
        fix: [.addPort(.init(.tcp, .number(53, through: nil)), place.rule(of: policy))])
    ]
  }
}

extension RulePlace {
  /// Whether kube-router writes the rule without its ports if no pod has their names.
  fileprivate var opensAll: Bool {
    let names = rule.ports.list.allSatisfy { if case .name = $0.number { true } else { false } }
    return names && rule.peers.list.contains { if case .pods = $0 { true } else { false } }
  }
}

extension NetworkPolicy.PortRule {
  /// Whether it names a port by its number, or all of the protocol.
  func includes(_ transport: Transport, _ wanted: UInt16) -> Bool {
    guard self.transport == transport else { return false }
    switch number {
    case .any: return true
    case .number(let first, let through): return (first...max(first, through ?? first)).contains(wanted)
    case .name: return false
    }
  }

  fileprivate var isSingle: Bool {
    if case .number(let first, let through) = number { through.map { $0 == first } ?? true } else { false }
  }
}

extension NetworkPolicy.Ports {
  fileprivate func includes(_ transport: Transport, _ port: UInt16) -> Bool {
    switch self {
    case .all: true
    case .listed(let ports): ports.contains { $0.includes(transport, port) }
    }
  }
}
