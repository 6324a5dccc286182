internal import NetpolModel
internal import RuleIR

/// Mistakes that can be made in the rules of some worlds, by what they are about.
struct Mutations {
  private var worlds: [Mutation: Int] = [:]
  private var kinds: [Mutation: String] = [:]
  /// Of the world that is taken in.
  private var own: Set<Mutation> = []

  /// So many worlds must have what is mistaken: a single one may well have another rule for the same packets.
  private static let leastWorlds = 4

  mutating func add(_ rulesets: [Ruleset]) {
    own = []
    for ruleset in rulesets { add(ruleset) }
    for mutation in own { worlds[mutation, default: 0] += 1 }
  }

  /// In the order of their descriptions.
  var byKind: [String: [Mutation]] {
    Dictionary(grouping: worlds.filter { $0.value >= Self.leastWorlds }.keys) { kinds[$0] ?? "" }
      .mapValues { $0.sorted { $0.description < $1.description } }
  }

  private mutating func add(_ ruleset: Ruleset) {
    for set in ruleset.sets {
      for mutation in SetMutation.allCases where mutation.mutated(set) != nil {
        add(.set(Mutation.SetSite(set), mutation), "set")
      }
    }
    for set in ruleset.keyedSets {
      for mutation in SetMutation.allCases where mutation.mutated(set) != nil {
        add(.set(Mutation.SetSite(set), mutation), set.isMap ? "map" : "keyed set")
      }
    }
    for chain in ruleset.tables.flatMap(\.chains) {
      // What a node itself sends to its pods is accepted by each pod's chain.
      if ["OUTPUT", "KUBE-ROUTER-OUTPUT"].contains(chain.name) { continue }
      if chain.base != nil {
        // iptables' built-in chains are hooked, whatever is written into them.
        if ruleset.backend == .nftables { add(.unhooked(chain: withoutHash(chain.name)), "hook") }
        // What passes iptables' FORWARD is accepted by a rule, flannel's at the last.
        if !chain.rules.isEmpty, chain.name != "FORWARD" { add(.policyFlipped(chain: withoutHash(chain.name)), "hook") }
      }
      // These serve marks of other programs, the portmap plugin's among them, which worlds have not.
      if chain.name.hasPrefix("marked") { continue }
      for (index, rule) in chain.rules.enumerated() where !rule.isBlindSpot && !chain.repeats(rule) {
        add(rule, in: chain, before: index + 1 < chain.rules.count ? chain.rules[index + 1] : nil)
      }
    }
  }

  private mutating func add(_ rule: Rule, in chain: Chain, before next: Rule?) {
    let site = RuleSite(rule, in: chain.name)
    let isShortCut = rule.isShortCut(in: chain)
    if !isShortCut {
      add(.ruleAbsent(site), "rule")
      if let next, !next.isBlindSpot, !next.isShortCut(in: chain), !rule.commutes(with: next, in: chain),
        RuleSite(next, in: chain.name) != site
      {
        add(.ruleLater(site), "rule")
      }
      for (index, match) in rule.matches.enumerated() where !match.isBlindSpot {
        for mutation in MatchMutation.allCases where !(mutation.widens && rule.doesWithout(match, in: chain)) {
          if mutation == .otherTransport, chain.hasForAllTransports(rule) { continue }
          guard let mutated = mutation.mutated(match), mutated != [match] else { continue }
          add(.match(site, index, mutation), RuleKind(match).rawValue)
        }
      }
    }
    for (index, statement) in rule.statements.enumerated() where !statement.isBlindSpot {
      for mutation in StatementMutation.allCases where !isShortCut || mutation != .absent {
        guard let mutated = mutation.mutated(statement), mutated != [statement] else { continue }
        add(.statement(site, index, mutation), RuleKind(statement).rawValue)
      }
    }
  }

  private mutating func add(_ change: Mutation.Change, _ kind: String) {
    let mutation = Mutation(change: change)
    own.insert(mutation)
    kinds[mutation] = kind
  }
}

// What no first packet can tell, or not in these worlds; docs/fuzzing.md says why.

extension Chain {
  /// Another transport in each of them would be the same rules.
  fileprivate func hasForAllTransports(_ rule: Rule) -> Bool {
    let site = RuleSite(rule, in: name)
    let transports = rules.filter { RuleSite($0, in: name) == site }.compactMap(\.transport)
    return Set(transports).count == Transport.allCases.count
  }

  /// Whether the rule only sends to a chain what another rule of this chain sends there as well: `bridged` narrows it, and
  /// who has passed a chain once passes it again.
  fileprivate func repeats(_ rule: Rule) -> Bool {
    rule.matches.contains(.bridged)
      && rules.contains { $0.matches == rule.matches.filter { $0 != .bridged } && $0.statements == rule.statements }
  }
}

extension Rule {
  /// A policy's chain is left early with the mark that all its other rules could only set again.
  fileprivate func isShortCut(in chain: Chain) -> Bool {
    let isMarked = matches.contains { if case .mark(_, negated: false) = $0 { true } else { false } }
    return chain.origin?.policy != nil && isMarked && statements == [.return]
  }

  /// Which of the two comes first means nothing: both do the same, or mark, or send to chains that only mark.
  fileprivate func commutes(with next: Rule, in chain: Chain) -> Bool {
    statements == next.statements || jumps && next.jumps
      || chain.origin?.policy != nil && (jumps || marks) && (next.jumps || next.marks)
  }

  private var marks: Bool { statements.contains { if case .setMark = $0 { true } else { false } } }

  private var jumps: Bool {
    statements.allSatisfy { statement in
      switch statement {
      case .counter, .jump: true
      default: false
      }
    }
  }

  fileprivate var transport: Transport? {
    matches.lazy.compactMap { match in
      switch match {
      case .transport(let transport), .port(let transport, _), .multiport(let transport, _): transport
      default: nil
      }
    }.first
  }

  /// The match spares a vain lookup in a set that has nobody else, or asks in INPUT whether the packet is for the node.
  fileprivate func doesWithout(_ match: Match, in chain: Chain) -> Bool {
    switch match {
    case .address: statements.contains { if case .setMarkFrom = $0 { true } else { false } }
    case .mark(let mark, _): mark == Mark(1, mask: 1)
    case .local(.destination): chain.name == "KUBE-ROUTER-INPUT"
    default: false
    }
  }

  /// It matches nothing that begins a connection, only pings and ICMP errors, or does nothing but count and log, or it
  /// tells what has passed from what no rule knows: both are accepted in the end, unless others have rules behind.
  fileprivate var isBlindSpot: Bool {
    let passed: UInt32 = 0x20000
    return matches.contains { match in
      switch match {
      case .icmpType: true
      case .conntrack(let states): !states.contains(.new)
      case .mark(let mark, _): mark.value == passed
      default: false
      }
    }
      || statements.allSatisfy { statement in
        switch statement {
        case .setMark(let mark): mark.value == passed
        case .jump(let chain): chain == "KUBE-NWPLCY-TAIL" || chain == "KUBE-NWPLCY-COMMON"
        default: statement.isBlindSpot
        }
      }
  }
}

extension Match {
  /// A limit without its clock is always kept.
  fileprivate var isBlindSpot: Bool { if case .limit = self { true } else { false } }
}

extension MatchMutation {
  fileprivate var widens: Bool { self == .absent || self == .wider }
}

extension Statement {
  /// Nobody asks for a mark that is put back to zero as a whole: what follows sets its own.
  fileprivate var isBlindSpot: Bool {
    switch self {
    case .counter, .log: true
    case .setMark(let mark): mark == Mark(0, mask: .max)
    default: false
    }
  }
}
