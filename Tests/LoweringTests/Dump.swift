// A dump of a real node and our own rules, both in the same canonical form.
import Foundation
import NetpolModel
import RuleIR
import Testing

@testable import Rendering

/// iptables-save and ipset save as text: chains with their rules, sets with their members.
struct Dump {
  var declarations: Set<String> = []
  var chains: [String: [String]] = [:]
  var sets: [String: (options: String, members: Set<String>)] = [:]

  /// Whether a chain belongs to another program: neither built in nor one of kube-router's.
  private static func isForeign(chain: String) -> Bool {
    !["INPUT", "FORWARD", "OUTPUT"].contains(chain)
      && !["KUBE-ROUTER-", "KUBE-NWPLCY-", "KUBE-POD-FW-"].contains { chain.hasPrefix($0) }
  }

  init(iptablesSave: String, ipsetSave: String) {
    for line in iptablesSave.split(separator: "\n") {
      if line.hasPrefix(":") {
        if Self.isForeign(chain: String(line.dropFirst().prefix { $0 != " " })) { continue }
        declarations.insert(String(line.prefix { $0 != "[" }))
      } else if line.hasPrefix("-A ") {
        let chain = String(line.dropFirst(3).prefix { $0 != " " })
        let rule = String(line.dropFirst(3 + chain.count))
        if Self.isForeign(chain: chain) { continue }
        // In a built-in chain, rules of other programs are not compared.
        if !chain.hasPrefix("KUBE-"), !rule.contains("kube-router netpol"), !rule.contains("KUBE-ROUTER rule") {
          continue
        }
        chains[chain, default: []].append(rule)
      }
    }
    for line in ipsetSave.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      if words[0] == "create" {
        let options = words[2].components(separatedBy: " initval")[0]
        sets[words[1]] = (options, sets[words[1]]?.members ?? [])
      } else if words[0] == "add" {
        sets[words[1], default: ("", [])].members.insert(words[2])
      }
    }
  }
}

/// The parts of a dump's order that our rules don't determine, and what each set is for.
struct Freedoms {
  /// Ranges of rules in a policy chain that are for the numbers of one named port. A Go map determines their order.
  var namedRanges: [String: [Range<Int>]] = [:]
  /// Sets of named ports, with the rule and name they belong to.
  var namedSets: [String: String] = [:]

  init(_ ruleset: Ruleset, _ family: IPFamily) {
    for table in ruleset.tables where table.family == family {
      for chain in table.chains {
        var start = 0
        while start < chain.rules.count {
          let first = chain.rules[start]
          var end = start + 1
          if first.origin?.portName != nil {
            while end < chain.rules.count, chain.rules[end].origin == first.origin,
              chain.rules[end].comment == first.comment
            { end += 1 }
            namedRanges[chain.name, default: []].append(start..<end)
          }
          start = end
        }
      }
    }
    for set in ruleset.sets {
      guard let origin = set.origin, let name = origin.portName else { continue }
      namedSets[set.name] =
        "<\(origin.policy.map(\.description) ?? "") \(origin.direction?.keyword ?? "") \(origin.rule ?? -1) \(name)>"
    }
  }
}

extension Dump {
  /// Every line in a canonical order and with canonical names, so that the differences that the dumps' README allows
  /// don't count.
  func canonical(_ freedoms: Freedoms) -> [String] {
    var token: [String: String] = [:]
    for (name, group) in freedoms.namedSets {
      token[name] = group + (sets[name]?.members.sorted().joined(separator: ",") ?? "missing")
    }
    let rename = { (line: String) -> String in
      line.split(separator: " ", omittingEmptySubsequences: false).map { token[String($0)] ?? String($0) }
        .joined(separator: " ")
    }
    var lines = declarations.sorted()
    for (chain, rules) in chains.sorted(by: { $0.key < $1.key }) {
      var rules = rules.map(rename)
      if chain.hasPrefix("KUBE-ROUTER-") { rules = Self.sortingPods(rules) }
      if chain.hasPrefix("KUBE-POD-FW-") { rules = Self.sortingPolicyJumps(rules) }
      for range in freedoms.namedRanges[chain] ?? [] where range.upperBound <= rules.count {
        let pairs = stride(from: range.lowerBound, to: range.upperBound, by: 2).map { Array(rules[$0..<$0 + 2]) }
        rules.replaceSubrange(range, with: pairs.sorted { $0.joined() < $1.joined() }.flatMap { $0 })
      }
      lines += rules.enumerated().map { "\(chain) #\($0)\($1)" }
    }
    lines += sets.map { name, set in
      "set \(token[name] ?? name) \(set.options) {\(set.members.sorted().joined(separator: ", "))}"
    }.sorted()
    return lines
  }

  /// Sorts the pods, whose order is random. Each pod's rules are together, and their order within the group is exact.
  private static func sortingPods(_ rules: [String]) -> [String] {
    let head = rules.prefix { !$0.contains("-j KUBE-POD-FW-") }
    var groups: [(target: String, rules: [String])] = []
    for rule in rules.dropFirst(head.count) {
      let target = rule.components(separatedBy: "-j ").last ?? ""
      if groups.last?.target == target {
        groups[groups.count - 1].rules.append(rule)
      } else {
        groups.append((target, [rule]))
      }
    }
    return head + groups.sorted { $0.target < $1.target }.flatMap(\.rules)
  }

  private static func sortingPolicyJumps(_ rules: [String]) -> [String] {
    let isJump = { (rule: String) in
      rule.contains("-j KUBE-NWPLCY-") && !rule.hasSuffix("-COMMON") && !rule.hasSuffix("-DEFAULT")
    }
    guard let first = rules.firstIndex(where: isJump) else { return rules }
    let run = rules[first...].prefix(while: isJump)
    return rules[..<first] + run.sorted() + rules[run.endIndex...]
  }

  /// The order of pods in each of the three chains. It is the same in all chains of one sync.
  var podOrders: [[String]] {
    ["INPUT", "FORWARD", "OUTPUT"].map { hook in
      var order: [String] = []
      for rule in chains["KUBE-ROUTER-\(hook)"] ?? [] {
        guard let target = rule.components(separatedBy: "-j ").last, target.hasPrefix("KUBE-POD-FW-") else { continue }
        if order.last != target { order.append(target) }
      }
      return order
    }
  }
}

/// The lines that only one side has.
func difference(_ real: [String], _ ours: [String]) -> [String] {
  let (a, b) = (Set(real), Set(ours))
  return real.filter { !b.contains($0) }.map { "- real: \($0)" }
    + ours.filter { !a.contains($0) }.map { "+ ours: \($0)" }
}
