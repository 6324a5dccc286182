internal import NetpolModel
internal import RuleIR

/// Names of chains and sets: a prefix and 80 bits of a SHA-256 hash in base32.
enum KubeRouterNames {
  /// Whether the chain belongs to the policy controller.
  static func isChain(_ name: ChainName) -> Bool {
    ["KUBE-ROUTER-", "KUBE-NWPLCY-", "KUBE-POD-FW-"].contains { name.hasPrefix($0) }
  }

  static func policyChain(_ policy: PolicyID, version: String, _ family: IPFamily) -> ChainName {
    "KUBE-NWPLCY-" + hashedName(policy.namespace + policy.name + version + family.rawValue)
  }

  static func podChain(_ pod: PodID, version: String) -> ChainName {
    "KUBE-POD-FW-" + hashedName(pod.namespace + pod.name + version)
  }

  /// The set of the pods that a policy selects. It is matched as destination for ingress and as source for egress.
  static func targets(
    _ policy: PolicyID, _ direction: Direction, _ family: IPFamily, _ backend: EnforcementStyle.Backend
  ) -> SetName {
    let side: Side = direction == .ingress ? .destination : .source
    return set(side, family, backend, policy.namespace + policy.name + family.rawValue)
  }

  /// The nft chain with the allow rules for the ipBlocks of a rule that has excepts.
  static func ipBlockChain(_ policy: PolicyID, _ direction: Direction, rule: Int, _ family: IPFamily) -> ChainName {
    "KUBE-NWPLCY-"
      + hashedName("\(policy.namespace)\(policy.name)\(direction.keyword)rule\(rule)\(family.rawValue)ipblockchain")
  }

  /// What a set of a rule contains. The hashed text ends with it.
  enum RuleSet {
    case peerPods
    case ipBlocks
    case ipBlockExcepts
    /// Pods that have the rule's `index`-th resolved named port.
    case namedPort(index: Int)
  }

  static func ruleSet(
    _ content: RuleSet, _ policy: PolicyID, _ direction: Direction, rule: Int, _ family: IPFamily,
    _ backend: EnforcementStyle.Backend
  ) -> SetName {
    let head = "\(policy.namespace)\(policy.name)\(direction.keyword)rule\(rule)"
    let peer: Side = direction == .ingress ? .source : .destination
    return switch content {
    case .peerPods: set(peer, family, backend, head + family.rawValue + "pod")
    case .ipBlocks: set(peer, family, backend, head + family.rawValue + "ipblock")
    case .ipBlockExcepts: set(peer, family, backend, head + family.rawValue + "ipblockexcept")
    case .namedPort(let index): set(.destination, family, backend, "\(head)\(index)\(family.rawValue)namedport")
    }
  }

  /// All ipsets share one name space, so IPv6 names get a prefix. nft sets are in a table of their family.
  private static func set(
    _ side: Side, _ family: IPFamily, _ backend: EnforcementStyle.Backend, _ text: String
  ) -> SetName {
    (family == .v6 && backend == .iptables ? "inet6:" : "") + (side == .source ? "KUBE-SRC-" : "KUBE-DST-")
      + hashedName(text)
  }

  /// The tag in the comment of a rule with a fixed position: a hash of its chain and arguments.
  static func tag(_ chain: ChainName, _ arguments: [String]) -> String { hashedName(chain + arguments.joined()) }
}
