internal import NetpolModel
internal import RuleIR

/// Names of chains and sets: a prefix and 80 bits of a SHA-256 in base32.
enum KubeRouterNames {
  /// Whether it is a chain of the policy controller.
  static func isChain(_ name: ChainName) -> Bool {
    ["KUBE-ROUTER-", "KUBE-NWPLCY-", "KUBE-POD-FW-"].contains { name.hasPrefix($0) }
  }

  static func policyChain(_ policy: PolicyID, version: String, _ family: IPFamily) -> ChainName {
    "KUBE-NWPLCY-" + hashedName(policy.namespace + policy.name + version + family.rawValue)
  }

  static func podChain(_ pod: PodID, version: String) -> ChainName {
    "KUBE-POD-FW-" + hashedName(pod.namespace + pod.name + version)
  }

  /// The set of a policy's own pods, matched as destination for ingress and as source for egress.
  static func targets(
    _ policy: PolicyID, _ direction: Direction, _ family: IPFamily, _ backend: EnforcementStyle.Backend
  ) -> SetName {
    let side: Side = direction == .ingress ? .destination : .source
    return set(side, family, backend, policy.namespace + policy.name + family.rawValue)
  }

  /// The nft chain that holds what the blocks of a rule with excepts allow.
  static func ipBlockChain(_ policy: PolicyID, _ direction: Direction, rule: Int, _ family: IPFamily) -> ChainName {
    "KUBE-NWPLCY-"
      + hashedName("\(policy.namespace)\(policy.name)\(direction.keyword)rule\(rule)\(family.rawValue)ipblockchain")
  }

  /// What a set of a rule holds; the raw value ends the hashed text.
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

  /// ipsets of both families share a name space; nft sets have a table of their own.
  private static func set(
    _ side: Side, _ family: IPFamily, _ backend: EnforcementStyle.Backend, _ text: String
  ) -> SetName {
    (family == .v6 && backend == .iptables ? "inet6:" : "") + (side == .source ? "KUBE-SRC-" : "KUBE-DST-")
      + hashedName(text)
  }

  /// The tag of a positioned rule: the hash of its chain and arguments.
  static func tag(_ chain: ChainName, _ arguments: [String]) -> String { hashedName(chain + arguments.joined()) }
}
