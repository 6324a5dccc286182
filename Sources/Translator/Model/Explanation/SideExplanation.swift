/// Why the policies of one end of a flow let it through or not: every policy, rule, peer and port, and what each says.
public struct SideExplanation: Hashable, Sendable {
  /// What holds for the end as a whole.
  public enum Standing: Hashable, Sendable {
    /// No pod, so no policy can apply.
    case notAPod
    /// A pod on its node's network, to which no policy applies.
    case hostNetwork
    /// No policy isolates the pod in this direction.
    case notIsolated
    /// The packet comes from the pod's own node.
    case ownNode(String)
    /// Some policies isolate it.
    case isolated
  }

  public let direction: Direction
  /// The flow as this end's policies see it.
  public let flow: Flow
  public let standing: Standing
  public let verdict: Verdict
  /// Those that isolate the end, nearest to admitting the flow first. Then those of its namespace that are not in force
  /// for it, and why.
  public let policies: [PolicyExplanation]

  public init(
    direction: Direction, flow: Flow, standing: Standing, verdict: Verdict, policies: [PolicyExplanation]
  ) {
    self.direction = direction
    self.flow = flow
    self.standing = standing
    self.verdict = verdict
    self.policies = policies
  }

  public var subject: Flow.End { flow.ends(direction).subject }
  public var peer: Flow.End { flow.ends(direction).peer }

  /// The entry that comes nearest to admitting a flow that no rule admits: the one with the fewest conditions to meet. Of
  /// several, the one that is written first.
  public var nearest: NearestMiss? {
    guard verdict == .deny else { return nil }
    let all = policies.filter { $0.standing == .inForce }.compactMap(\.nearest)
    return all.min { ($0.distance, $0.policy, $0.rule) < ($1.distance, $1.policy, $1.rule) }
  }
}

/// What one policy says about a flow.
public struct PolicyExplanation: Hashable, Sendable {
  public enum Standing: Hashable, Sendable {
    case inForce
    /// It selects the pod, but its `policyTypes` don't name the direction. `hasRules`: it has rules for it all the same.
    case otherTypes(hasRules: Bool)
    /// Its podSelector does not select the pod.
    case notSelecting([LabelMiss])
    /// Its podSelector matches the pod's labels, but the pod is on its node's network.
    case selectsInVain
  }

  public let policy: NetworkPolicy
  public let standing: Standing
  /// Of a policy in force, nearest first.
  public let rules: [RuleExplanation]

  public init(policy: NetworkPolicy, standing: Standing, rules: [RuleExplanation]) {
    self.policy = policy
    self.standing = standing
    self.rules = rules
  }

  public var admits: Bool { standing == .inForce && rules.contains(where: \.admits) }

  public var nearest: NearestMiss? {
    // The nearest stands first.
    rules.first.map {
      NearestMiss(policy: policy.id, rule: $0.index, distance: $0.distance)
    }
  }
}

/// What one rule of a policy says about a flow. It admits what one of its peers and one of its ports admit.
public struct RuleExplanation: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    /// Index in `from`, `to` or `ports`.
    public let index: Int
    /// The conditions that it does not meet. Empty: it admits the flow.
    public let misses: [Miss]
    public var admits: Bool { misses.isEmpty }
    public init(index: Int, misses: [Miss]) {
      self.index = index
      self.misses = misses
    }
  }

  public let index: Int
  public let rule: NetworkPolicy.Rule
  /// Nearest first. Empty: the rule admits any peer.
  public let peers: [Entry]
  /// Nearest first. Empty: the rule admits any port.
  public let ports: [Entry]

  public init(index: Int, rule: NetworkPolicy.Rule, peers: [Entry], ports: [Entry]) {
    self.index = index
    self.rule = rule
    self.peers = peers
    self.ports = ports
  }

  public var admits: Bool { distance == 0 }
  /// How many conditions are not met by the nearest peer and the nearest port together.
  public var distance: Int { (peers.first?.misses.count ?? 0) + (ports.first?.misses.count ?? 0) }
  /// The misses of the nearest peer, then of the nearest port.
  public var nearestMisses: [Miss] { (peers.first?.misses ?? []) + (ports.first?.misses ?? []) }
}

/// The rule that comes nearest to admitting a flow.
public struct NearestMiss: Hashable, Sendable {
  public let policy: PolicyID
  public let rule: Int
  /// How many conditions it lacks; at least 1.
  public let distance: Int
}
