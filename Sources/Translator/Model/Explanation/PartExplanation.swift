/// One part of a flow's way, from a sender to who receives the packet, and what the policies of both ends say. A flow has
/// more parts than one if pods send the packet on.
public struct PartExplanation: Hashable, Sendable {
  /// The flow as its sender asked for it, before a service or host port translates it.
  public let asked: Flow
  /// As the sender's policies see it, and as the receiver's do.
  public let sent: Flow
  public let arrived: Flow
  /// What translates it. `nil`: nothing does.
  public let intermediary: Intermediary?
  /// Egress, then ingress. Empty if the policies of no end are asked: a service refuses the flow, or a pod asks itself.
  public let sides: [SideExplanation]
  /// What the receiver's policies would say if no node had put its own address on the packet. `nil`: none did.
  public var unmasqueraded: SideExplanation?

  public init(asked: Flow, sent: Flow, arrived: Flow, intermediary: Intermediary?, sides: [SideExplanation]) {
    self.asked = asked
    self.sent = sent
    self.arrived = arrived
    self.intermediary = intermediary
    self.sides = sides
  }

  /// The side that refuses the packet first.
  public var refusing: SideExplanation? { sides.first { $0.verdict == .deny } }
}

extension PartExplanation {
  /// Whether a condition was met before a node translated the packet's addresses or port.
  public func wasMet(_ miss: Miss, by direction: Direction) -> Bool {
    let before = asked.ends(direction).peer.address
    switch miss {
    case .outsideBlock(let block, let address): return address != before && block.contains(before)
    case .excepted(let block, let address, _): return address != before && !block.contains(before)
    case .otherPort(let range, let seen): return asked.port.map { $0 != seen && range.contains($0) } ?? false
    case .notAPod, .hostNetwork, .otherNamespace, .namespaceLabel, .unknownNamespace, .podLabel, .otherFamily, .noPorts,
      .otherTransport,
      .nameWithoutPod, .unknownName, .otherNamedPort:
      return false
    }
  }

  /// The first rule that would admit the flow if no node had translated it before the policies saw it. `byAddress`: it
  /// admits the address that the packet had; otherwise only its port.
  public var meant: (policy: PolicyExplanation, rule: RuleExplanation, byAddress: Bool)? {
    guard let side = refusing else { return nil }
    let wasMet = { (entry: RuleExplanation.Entry) in
      entry.misses.allSatisfy { self.wasMet($0, by: side.direction) }
    }
    var byPort: (PolicyExplanation, RuleExplanation, Bool)?
    for policy in side.policies where policy.standing == .inForce {
      for rule in policy.rules where rule.ports.isEmpty || rule.ports.contains(where: wasMet) {
        if rule.peers.isEmpty || rule.peers.contains(where: { !$0.admits && wasMet($0) }) {
          return (policy, rule, true)
        }
        if byPort == nil, rule.peers.contains(where: \.admits) { byPort = (policy, rule, false) }
      }
    }
    return byPort
  }
}

extension PartExplanation {
  /// The codes of what the nearest rules of the refusing side lack, and of policies that are not in force though they look
  /// so.
  public var codes: Set<Code> {
    var codes: Set<Code> = []
    if let side = refusing, let nearest = side.nearest {
      for rule in side.policies.flatMap(\.rules) where rule.distance == nearest.distance {
        codes.formUnion(rule.nearestMisses.map(\.code))
      }
    }
    for policy in sides.flatMap(\.policies) {
      switch policy.standing {
      case .otherTypes(hasRules: true): codes.insert(.otherTypes)
      case .selectsInVain: codes.insert(.selectsInVain)
      case .otherTypes, .notSelecting, .inForce: break
      }
    }
    return codes
  }
}
