internal import NetpolModel
internal import Rendering
internal import RuleIR

/// The policy controller's chains and sets of one table, either the node's or the expected ones.
struct TableSide {
  var chains: [ChainName: Chain]
  var sets: [SetName: NamedSet]
  let family: IPFamily
  let backend: Ruleset.Backend

  init(_ chains: [ChainName: Chain], _ sets: [NamedSet], _ family: IPFamily, _ backend: Ruleset.Backend) {
    self.chains = chains
    self.sets = Dictionary(sets.map { ($0.name, $0) }) { first, _ in first }
    self.family = family
    self.backend = backend
  }

  /// The chain's rules as the dump prints them.
  func lines(of name: ChainName) throws -> [String] {
    try (chains[name]?.rules ?? []).map { rule in
      switch backend {
      case .iptables: "-A \(name)" + (try iptablesRuleText(rule, family))
      case .nftables: try nftRuleText(rule, family)
      }
    }
  }

  /// What nft prints about a chain besides its rules.
  func header(of name: ChainName, withComment: Bool) -> String {
    guard var chain = chains[name] else { return "" }
    if !withComment { chain.comment = nil }
    let base = chain.base.map { "hook \($0.hook.rawValue) priority \($0.priority) policy \($0.policy.rawValue)" }
    return "\(base ?? "no hook")\(chain.comment.map { ", comment \"\($0)\"" } ?? "")"
  }

  func comments(ofJumpsTo name: ChainName) -> [String] {
    chains.values.flatMap(\.rules).filter { $0.statements.contains(.jump(name)) }.compactMap(\.comment).sorted()
  }

  /// The policy or pod that each chain belongs to.
  var titles: [ChainName: String] {
    var titles: [ChainName: String] = [:]
    for chain in chains.values {
      for rule in chain.rules {
        if let policy = rule.origin?.policy, chain.name.hasPrefix("KUBE-NWPLCY-") {
          titles[chain.name] = "policy \(policy)"
        }
        for case .jump(let target) in rule.statements {
          if target.hasPrefix("KUBE-POD-FW-"), let pod = rule.origin?.pod { titles[target] = "pod \(pod)" }
          if target.hasPrefix("KUBE-NWPLCY-"), let policy = rule.origin?.policy { titles[target] = "policy \(policy)" }
        }
      }
    }
    return titles
  }

  mutating func rename(chains names: [ChainName: ChainName]) {
    if names.isEmpty { return }
    var renamed: [ChainName: Chain] = [:]
    for (name, var chain) in chains {
      chain.name = names[name] ?? name
      for index in chain.rules.indices {
        for case .jump(let target) in chain.rules[index].statements {
          guard let new = names[target] else { continue }
          // k3s's fork also has the chain's name in the comment of the jump.
          chain.rules[index].comment = chain.rules[index].comment?.replacing(target, with: new)
          chain.rules[index].statements = chain.rules[index].statements.map { $0 == .jump(target) ? .jump(new) : $0 }
        }
      }
      renamed[chain.name] = chain
    }
    chains = renamed
  }

  mutating func rename(sets names: [SetName: SetName]) {
    if names.allSatisfy({ $0 == $1 }) { return }
    sets = Dictionary(
      sets.values.map { set in
        var set = set
        set.name = names[set.name] ?? set.name
        return (set.name, set)
      }
    ) { first, _ in first }
    chains = chains.mapValues { chain in
      var chain = chain
      for index in chain.rules.indices {
        chain.rules[index].matches = chain.rules[index].matches.map { match in
          guard case .inSet(let side, let set, let negated) = match, let new = names[set] else { return match }
          return .inSet(side, new, negated: negated)
        }
      }
      return chain
    }
  }
}
