internal import Documents
internal import NetpolModel
internal import Text

/// Why the policies let a flow through or not, as an indented tree: sides, policies, rules, peers and ports.
struct WhyTree {
  private let cluster: Cluster
  private let lines: SourceLines
  /// Policies of the namespace that are not in force for the end; more are counted only.
  private static let mostOthers = 4

  init(_ cluster: Cluster, _ lines: SourceLines) {
    self.cluster = cluster
    self.lines = lines
  }

  func blocks(_ parts: [PartExplanation]) -> [Block] {
    let quotes = lines.entries(at: Set(parts.flatMap(\.sides).flatMap(\.policies).flatMap(places)))
    return parts.flatMap { part in
      part.sides.flatMap { side in [line(side.heading, 2)] + policies(of: side, part, quotes) }
    }
  }

  private func policies(
    of side: SideExplanation, _ part: PartExplanation, _ quotes: [SourceLocation: [SourceLines.Line]]
  ) -> [Block] {
    let texts = MissText(cluster, part, side)
    let inForce = side.policies.filter { $0.standing == .inForce }
    let others = side.policies.filter { $0.standing != .inForce }
    var blocks = inForce.flatMap { policy -> [Block] in
      let id = "policy \(policy.policy.id)\(place(policy.policy.location))"
      if policy.rules.isEmpty { return [line("\(id): no \(side.direction.keyword) rules, so it admits nobody", 4)] }
      return [line("\(id): \(policy.admits ? "admits it" : "does not admit it")", 4)]
        + policy.rules.flatMap { rule($0, side, texts, quotes) }
    }
    blocks += others.prefix(Self.mostOthers).map { policy in
      line("policy \(policy.policy.id)\(place(policy.policy.location)): not applicable: \(idle(policy, side))", 4)
    }
    let rest = others.count - Self.mostOthers
    if rest > 0 { blocks.append(line("and \(rest) more policies of the namespace that don't apply", 4)) }
    return blocks
  }

  /// Why a policy is not in force for an end.
  private func idle(_ policy: PolicyExplanation, _ side: SideExplanation) -> String {
    switch policy.standing {
    case .inForce: return ""
    case .otherTypes(let hasRules):
      let types =
        policy.policy.typesLocation == nil
        ? "without policyTypes and egress rules it isolates for ingress alone"
        : "policyTypes names \(side.direction.opposite.rawValue) alone"
      return types
        + (hasRules ? ", so its \(side.direction.keyword) rules are not in force" : "")
    case .notSelecting(let misses):
      let has = misses.map { miss in
        miss.value.map { "label \(miss.requirement.key)=\($0.cut(to: 80))" } ?? "no label \(miss.requirement.text)"
      }
      return "its podSelector does not select \(side.subject.endpoint), which has \(has.joined(separator: ", "))"
    case .selectsInVain: return "its podSelector matches, but the pod is on its node's network"
    }
  }

  private func rule(
    _ rule: RuleExplanation, _ side: SideExplanation, _ texts: MissText, _ quotes: [SourceLocation: [SourceLines.Line]]
  ) -> [Block] {
    let verdict = rule.admits ? "admits it" : "does not admit it"
    var blocks = [line("\(side.direction.keyword) rule \(rule.index)\(place(rule.rule.location)): \(verdict)", 6)]
    let field = side.direction == .ingress ? "from" : "to"
    if rule.peers.isEmpty { blocks.append(line("no \(field): any peer is admitted", 8)) }
    // What stands in one line is quoted once.
    var quotes = quotes
    for entry in rule.peers {
      let why = entry.misses.map { texts.coded($0, of: rule.rule) }.joined(separator: "; and ")
      let key = rule.rule.peers.list.dropFirst(entry.index).first?.quotedKey
      blocks += self.entry("peer \(entry.index)", entry, rule.placeOfPeer(entry.index), why, quotes, around: key)
      rule.placeOfPeer(entry.index).map { quotes[$0] = nil }
    }
    if rule.ports.isEmpty { blocks.append(line("no ports: any port is admitted", 8)) }
    for entry in rule.ports {
      let why = entry.misses.map { texts.coded($0, of: rule.rule) }.joined(separator: "; and ")
      blocks += self.entry("port \(entry.index)", entry, rule.placeOfPort(entry.index), why, quotes, around: "port")
      rule.placeOfPort(entry.index).map { quotes[$0] = nil }
    }
    return blocks
  }

  private func entry(
    _ name: String, _ entry: RuleExplanation.Entry, _ location: SourceLocation?, _ why: String,
    _ quotes: [SourceLocation: [SourceLines.Line]], around key: String?
  ) -> [Block] {
    let verdict = entry.admits ? "admits it" : why.hasPrefix("can't be decided") ? why : "does not admit it: \(why)"
    return [line("\(name)\(place(location)): \(verdict)", 8)] + quote(location, quotes, around: key)
  }

  /// Lines of an entry. Of a long one only what is around the key.
  private func quote(
    _ location: SourceLocation?, _ quotes: [SourceLocation: [SourceLines.Line]], around key: String?
  ) -> [Block] {
    guard let lines = location.flatMap({ quotes[$0] }), let last = lines.last else { return [] }
    let width = "\(last.number)".count
    return [
      .code(
        Code(
          lines.map { line in
            let number = "\(line.number)"
            return String(repeating: " ", count: width - number.count)
              + "\(number) | \(line.text.abridged(around: key))"
          }, indent: 10))
    ]
  }

  private func places(_ policy: PolicyExplanation) -> [SourceLocation] {
    policy.rules.flatMap { $0.rule.places.peers + $0.rule.places.ports }
  }

  private func place(_ location: SourceLocation?) -> String { location.map { " (\($0))" } ?? "" }

  private func line(_ text: String, _ indent: Int) -> Block {
    .paragraph(text, first: String(repeating: " ", count: indent), indent: indent + 2)
  }
}

extension SideExplanation {
  /// `ingress of shop/db (10.42.0.5) from shop/web (10.42.0.6), TCP/80: isolated, and no rule admits it`.
  var heading: String {
    let way = direction == .egress ? "to" : "from"
    let port = flow.transportPort.map { ", \($0)" } ?? ", a ping"
    let what =
      switch standing {
      case .notAPod: "\(subject.endpoint) is no pod, so no policy applies"
      case .hostNetwork: "it is on its node's network, so no policy applies"
      case .notIsolated: "no policy isolates it"
      case .ownNode(let node): "its own node \(node) can always reach it"
      case .isolated: verdict == .allow ? "admitted" : "isolated, and no rule admits it"
      }
    return "\(direction.keyword) of \(subject.text) \(way) \(peer.text)\(port): \(what)"
  }
}

extension Flow.End {
  fileprivate var text: String {
    if case .address = endpoint { "\(address)" } else { "\(endpoint) (\(address))" }
  }
}

extension NetworkPolicy.Peer {
  /// What is written in it and, as a rule, nowhere else.
  fileprivate var quotedKey: String {
    switch self {
    case .block(let block): "\(block.cidr)"
    case .pods(.matching(let labels), let selector):
      (labels.requirements + selector.requirements).first?.key ?? "Selector"
    case .pods(.own, let selector): selector.requirements.first?.key ?? "podSelector"
    }
  }
}

extension String {
  /// At most about 120 characters, since JSON may stand in one line: those around the last time that the key stands there.
  fileprivate func abridged(around key: String?) -> String {
    let characters = Array(self)
    if characters.count <= 120 { return self }
    let key = Array(key ?? "")
    let places = characters.indices.dropLast(max(0, key.count - 1)).filter {
      !key.isEmpty && characters[$0] == key[0] && Array(characters[$0..<$0 + key.count]) == key
    }
    let start = max(0, min((places.last ?? 0) - 40, characters.count - 114))
    let end = min(characters.count, start + 114)
    return (start > 0 ? "..." : "") + String(characters[start..<end]) + (end < characters.count ? "..." : "")
  }
}
