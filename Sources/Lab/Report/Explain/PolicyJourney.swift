internal import Documents
internal import NetpolModel

/// A flow's way through the lines of policies: what each policy, rule, peer and port says of it, in the order in which a
/// packet is asked about them.
struct PolicyJourney {
  private let cluster: Cluster
  private let parts: [PartExplanation]

  init(_ cluster: Cluster, _ parts: [PartExplanation]) {
    self.cluster = cluster
    self.parts = parts
  }

  /// Those without a place in a file are left out.
  var steps: [Document.Result.Step] {
    parts.flatMap { part in
      part.sides.flatMap { side in
        side.policies.flatMap { policy in steps(policy, side, MissText(cluster, part, side)) }
      }
    }
  }

  /// The entry that comes nearest to admitting a refused flow, or the rule that admits it last.
  var place: SourceLocation? {
    let sides = parts.flatMap(\.sides)
    if let side = sides.first(where: { $0.verdict == .deny }) {
      let policies = side.policies.filter { $0.standing == .inForce }
      guard let nearest = side.nearest, let policy = policies.first(where: { $0.policy.id == nearest.policy }),
        let rule = policy.rules.first(where: { $0.index == nearest.rule })
      else { return policies.lazy.compactMap(\.policy.location).first }
      let peer = rule.peers.first.flatMap { $0.admits ? nil : rule.placeOfPeer($0.index) }
      let port = rule.ports.first.flatMap { $0.admits ? nil : rule.placeOfPort($0.index) }
      return peer ?? port ?? rule.rule.location ?? policy.policy.location
    }
    let admitting = sides.flatMap(\.policies).filter(\.admits)
    return admitting.last.flatMap { policy in
      policy.rules.first(where: \.admits)?.rule.location ?? policy.policy.location
    }
  }

  private func steps(_ policy: PolicyExplanation, _ side: SideExplanation, _ texts: MissText) -> [Document.Result.Step]
  {
    let name = "policy \(policy.policy.id)"
    let step = { (location: SourceLocation?, text: String, depth: Int) in
      location.map { Document.Result.Step($0, text, depth: depth) }
    }
    switch policy.standing {
    case .notSelecting, .otherTypes(hasRules: false): return []
    case .otherTypes(hasRules: true):
      let text = "\(name): its \(side.direction.keyword) rules are not in force [\(Code.otherTypes)]"
      return [step(policy.policy.typesLocation ?? policy.policy.location, text, 0)].compactMap(\.self)
    case .selectsInVain:
      let text = "\(name): it selects \(side.subject.endpoint) in vain [\(Code.selectsInVain)]"
      return [step(policy.policy.location, text, 0)].compactMap(\.self)
    case .inForce: break
    }
    let says =
      policy.rules.isEmpty
      ? "no \(side.direction.keyword) rules, so it admits nobody" : policy.admits ? "admits it" : "does not admit it"
    let own = step(policy.policy.location, "\(side.heading). \(name): \(says)", 0)
    return [own].compactMap(\.self)
      + policy.rules.flatMap { rule -> [Document.Result.Step] in
        let name = "\(side.direction.keyword) rule \(rule.index)"
        let entries = { (kind: String, entries: [RuleExplanation.Entry], place: (Int) -> SourceLocation?) in
          entries.map { entry in
            let why = entry.misses.map { texts.coded($0, of: rule.rule) }.joined(separator: "; and ")
            let says = entry.admits ? "admits it" : "does not admit it: \(why)"
            return step(place(entry.index), "\(kind) \(entry.index): \(says)", 2)
          }
        }
        return
          ([step(rule.rule.location, "\(name): \(rule.admits ? "admits it" : "does not admit it")", 1)]
          + entries("peer", rule.peers, rule.placeOfPeer) + entries("port", rule.ports, rule.placeOfPort))
          .compactMap(\.self)
      }
  }
}
