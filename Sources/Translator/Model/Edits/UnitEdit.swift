/// The smallest change of a cluster's objects that counts as one.
public enum UnitEdit: Hashable, Sendable {
  case addPolicy(NetworkPolicy)
  case removePolicy(PolicyID)
  case addRule(NetworkPolicy.Rule, Direction, to: PolicyID)
  case removeRule(RulePlace)
  case addPeer(NetworkPolicy.Peer, RulePlace)
  /// By index in `from` or `to`.
  case removePeer(Int, RulePlace)
  case addPort(NetworkPolicy.PortRule, RulePlace)
  /// By index in `ports`.
  case removePort(Int, RulePlace)
  case addType(Direction, PolicyID)
  case removeType(Direction, PolicyID)
  /// Sets a label, or removes it if `value` is `nil`.
  case label(LabelOwner, key: String, value: String?)

  /// A rule, by its index in `ingress` or `egress`.
  public struct RulePlace: Hashable, Sendable {
    public let policy: PolicyID
    public let direction: Direction
    public let index: Int
    public init(_ policy: PolicyID, _ direction: Direction, _ index: Int) {
      self.policy = policy
      self.direction = direction
      self.index = index
    }
  }

  /// What has labels that selectors look at.
  public enum LabelOwner: Hashable, Sendable {
    case namespace(String)
    case pod(PodID)
    /// The template of a workload: all its pods have the label.
    case workload(namespace: String, Pod.Workload)
  }
}

extension UnitEdit {
  /// The policy that it changes or adds. `nil` for a label.
  public var policy: PolicyID? {
    switch self {
    case .addPolicy(let policy): policy.id
    case .removePolicy(let id), .addRule(_, _, let id), .addType(_, let id), .removeType(_, let id): id
    case .removeRule(let place), .addPeer(_, let place), .removePeer(_, let place), .addPort(_, let place),
      .removePort(_, let place):
      place.policy
    case .label: nil
    }
  }

  /// Whether it adds what can only let more traffic through, unless a new policy isolates pods that none isolated.
  public var onlyAdds: Bool {
    switch self {
    case .addPolicy, .addRule, .addPeer, .addPort: true
    case .removePolicy, .removeRule, .removePeer, .removePort, .addType, .removeType, .label: false
    }
  }
}

extension UnitEdit.LabelOwner {
  /// Who has the labels of a pod: its workload's template, if it has one.
  public init(of pod: Pod) {
    self = pod.owner.map { .workload(namespace: pod.id.namespace, $0) } ?? .pod(pod.id)
  }

  public func owns(_ pod: Pod) -> Bool {
    switch self {
    case .namespace: false
    case .pod(let id): pod.id == id
    case .workload(let namespace, let owner): pod.id.namespace == namespace && pod.owner == owner
    }
  }
}
