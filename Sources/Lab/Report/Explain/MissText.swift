internal import NetpolModel
internal import Text

/// Sentences about conditions that a flow does not meet.
struct MissText {
  private let cluster: Cluster
  private let part: PartExplanation
  /// The flow as the policies see it that miss it.
  private let judged: Flow
  private let direction: Direction

  init(_ cluster: Cluster, _ part: PartExplanation, _ side: SideExplanation) {
    self.cluster = cluster
    self.part = part
    judged = side.flow
    direction = side.direction
  }

  /// The sentence with its code.
  func coded(_ miss: Miss, of rule: NetworkPolicy.Rule) -> String {
    "\(text(miss, of: rule)) [\(miss.code)]"
  }

  /// A sentence without its full stop. `rule` is the one that the entry belongs to.
  func text(_ miss: Miss, of rule: NetworkPolicy.Rule) -> String {
    switch miss {
    case .notAPod(let endpoint, let address):
      return "selectors match pods only, and \(name(endpoint)) is none: only an ipBlock with \(address) can admit it"
    case .hostNetwork(let pod, let address):
      let way = direction == .ingress ? "speaks as" : "is reached at"
      return "selectors never match host-network pods; \(pod) \(way) \(address)"
    case .otherNamespace(let own, let pod):
      return "a podSelector without namespaceSelector means namespace \(own) alone; \(pod) is in \(pod.namespace)"
    case .namespaceLabel(let miss, let namespace):
      let nobody = !cluster.namespaces.contains { miss.requirement.matches($0.labels) }
      let has = Self.has(miss, cluster.labels(ofNamespace: namespace), "kubernetes.io/metadata.name")
      return nobody && miss.requirement.asksForPresence
        ? "no namespace has label \(miss.requirement.text) (\(namespace) has \(has))"
        : "namespace \(namespace) has \(Self.found(miss))\(miss.similar.isEmpty ? "" : " (it has \(has))")"
    case .unknownNamespace(let miss, let namespace):
      return "can't be decided: the input has no object of namespace \(namespace), so whether it has "
        + "\(miss.requirement.text) is not known; taken as if it had only its name"
    case .podLabel(let miss, let pod):
      let has = miss.similar.isEmpty ? "" : " (it has \(miss.similar.map { $0.cut(to: 80) }.abridged(to: 3)))"
      return "\(pod) has \(Self.found(miss))\(has)"
    case .otherFamily(let block, let address):
      return "\(block) is \(block.family.rawValue), and the packet has \(address)"
    case .outsideBlock(let block, let address): return "\(address) is not in \(block)\(translation(miss))"
    case .excepted(let block, let address, let entry):
      let line = rule.exceptLine(block, entry).map { " of line \($0)" } ?? ""
      return "\(address) is in the except \(block)\(line)"
    case .noPorts: return "the rule names ports, and a ping has none"
    case .otherTransport(let own, let asked):
      return "the port is for \(own.rawValue), and the packet is \(asked.rawValue)"
    case .otherPort(let range, let asked): return "port \(asked) is not \(range)\(portHint(of: range.contains))"
    case .nameWithoutPod(let name, let endpoint):
      return "only a pod's containers give port \(name) a number, and \(self.name(endpoint)) is no pod"
    case .unknownName(let name, let transport, let pod):
      let known = cluster.pod(pod)?.ports.filter { $0.transport == transport }.compactMap(\.name) ?? []
      return "no container of \(pod) has a \(transport.rawValue) port named \(name)"
        + (known.isEmpty ? "" : " (known: \(known.sorted().abridged(to: 4)))")
    case .otherNamedPort(let name, let numbers, let asked):
      let list = numbers.map(String.init).joined(separator: ", ")
      return "\(name) is port \(list) there, and the packet goes to \(asked)\(portHint(of: numbers.contains))"
    }
  }

  /// All ports of a rule that admits none of them, in one sentence.
  func ports(_ rule: RuleExplanation) -> String? {
    guard let asked = judged.port, rule.ports.count > 1,
      rule.ports.allSatisfy({ if case .otherPort? = $0.misses.first { $0.misses.count == 1 } else { false } })
    else { return rule.ports.first?.misses.map { coded($0, of: rule.rule) }.joined(separator: "; and ") }
    let ranges = rule.ports.sorted { $0.index < $1.index }.compactMap { entry -> PortRange? in
      if case .otherPort(let range, _)? = entry.misses.first { range } else { nil }
    }
    let list = ranges.map(\.description).abridged(to: 8)
    let hint = portHint { port in ranges.contains { $0.contains(port) } }
    return "port \(asked) is not in ports (\(list))\(hint) [\(Code.missOtherPort)]"
  }

  /// What the address was before it was translated, if the block holds that.
  private func translation(_ miss: Miss) -> String {
    guard part.wasMet(miss, by: direction) else { return "" }
    let (before, after) = (part.asked.ends(direction).peer.address, judged.ends(direction).peer.address)
    if direction == .ingress { return ": the packet left as \(before), and a node put its own address on it" }
    let who = part.intermediary.map { "\($0)" } ?? "a node"
    return ": \(who) has turned \(before) into \(after) before policies see the packet"
  }

  private func portHint(of contains: (UInt16) -> Bool) -> String {
    guard let asked = part.asked.port, let seen = judged.port, asked != seen, contains(asked) else { return "" }
    switch part.intermediary {
    case .service?: return ": the service's port is \(asked), its target \(seen)"
    case .hostPort?: return ": the hostPort is \(asked), the container's port \(seen)"
    case nil: return ""
    }
  }

  private func name(_ endpoint: Endpoint) -> String {
    if case .address(let address) = endpoint { "\(address)" } else { "\(endpoint)" }
  }

  /// `label app=api, not app=web`, `no label tier=db`.
  private static func found(_ miss: LabelMiss) -> String {
    let wanted = miss.requirement
    guard let value = miss.value else { return "no label \(wanted.text)" }
    switch wanted.operator {
    case .in: return "label \(wanted.key)=\(value.cut(to: 80)), not \(wanted.values.abridged(to: 4))"
    case .notIn: return "label \(wanted.key)=\(value.cut(to: 80)), which the selector leaves out"
    case .exists: return "no label \(wanted.key)"
    case .doesNotExist: return "label \(wanted.key)=\(value.cut(to: 80)), and the selector wants none"
    }
  }

  /// The labels that look like the missing one, or else the object's name label.
  private static func has(_ miss: LabelMiss, _ labels: Labels, _ fallback: String) -> String {
    var shown = miss.value.map { ["\(miss.requirement.key)=\($0)"] } ?? []
    shown += miss.similar
    if shown.isEmpty, let value = labels[fallback] { shown = ["\(fallback)=\(value)"] }
    return shown.isEmpty ? "no labels" : shown.map { $0.cut(to: 80) }.abridged(to: 3)
  }
}

extension LabelSelector.Expression {
  var asksForPresence: Bool { [.in, .exists].contains(`operator`) }
}

extension NetworkPolicy.Rule {
  /// The line of an `except` entry.
  fileprivate func exceptLine(_ except: CIDR, _ entry: Int) -> Int? {
    for (index, peer) in peers.list.enumerated() {
      if case .block(let block) = peer, block.except.indices.contains(entry), block.except[entry] == except,
        places.excepts.indices.contains(index), places.excepts[index].indices.contains(entry)
      {
        return places.excepts[index][entry].line
      }
    }
    return nil
  }
}
