internal import NetpolModel

/// A rule to measure. Its cost is what `copies` copies cost more than `base`, divided by their number.
struct MicroRule: Hashable, Sendable {
  enum Backend: String, Hashable, Sendable, CaseIterable {
    case nft
    case iptables = "iptables (nf_tables)"
    case legacy = "iptables (legacy)"
  }

  var name: String
  var backend: Backend
  var rule: String
  var copies = 100
  /// The name of a rule of the same back end. `nil` for an empty chain.
  var base: String?

  /// Source and destination of the bench's packets.
  static let source = BenchAddresses(.v4).stranger
  static let destination = BenchAddresses(.v4).pod(0)

  static let all: [MicroRule] = nft + iptables(.iptables) + iptables(.legacy)

  private static let elsewhere = "203.0.113.7"
  /// A comment like those of kube-router.
  private static let comment = "rule to jump traffic destined to POD name:web-7d9c namespace: shop to chain KUBE-POD-FW"

  static let firstState = "first conntrack state"

  private static let nft: [MicroRule] = [
    rule("one more linear rule", "ip daddr \(elsewhere) drop"),
    rule("comment", "ip daddr \(elsewhere) drop comment \"\(comment)\"", over: "one more linear rule"),
    rule("rule that matches", "ip daddr \(destination)"),
    rule("counter", "ip daddr \(destination) counter", over: "rule that matches"),
    rule("jump", "jump nothing"),
    rule("jump and return", "jump returning"),
    rule("set lookup, hash", "ip saddr @addresses"),
    rule("set lookup, hash of known size", "ip saddr @sized"),
    rule("set lookup, interval", "ip saddr @blocks"),
    rule("set lookup, concatenation", "ip saddr . ip daddr . udp dport @triples"),
    rule("set lookup, concatenation with intervals", "ip saddr . ip daddr . udp dport @ranges"),
    rule("verdict map", "ip saddr vmap @verdicts"),
    MicroRule(name: firstState, backend: .nft, rule: "ct state established", copies: 1),
    MicroRule(
      name: "further conntrack state", backend: .nft, rule: "ct state established", copies: 101, base: firstState),
    rule("mark set", "meta mark set 0x1"),
    rule("mark match", "meta mark 0x99 drop"),
    rule("local address", "fib daddr type local drop"),
    rule("limit (spent) and log", "limit rate 1/day burst 1 packets log group 100"),
  ]

  private static func rule(_ name: String, _ text: String, over base: String? = nil) -> MicroRule {
    MicroRule(name: name, backend: .nft, rule: text, base: base)
  }

  private static func iptables(_ backend: Backend) -> [MicroRule] {
    let state = "-m conntrack --ctstate ESTABLISHED"
    let texts: [(name: String, text: String, base: String?)] = [
      ("one more linear rule", "-d \(elsewhere) -j DROP", nil),
      ("comment", "-d \(elsewhere) -m comment --comment \"\(comment)\" -j DROP", "one more linear rule"),
      ("jump", "-j EMPTY", nil), ("jump and return", "-j RETURNING", nil),
      ("ipset hash:ip", "-m set --match-set addresses src", nil),
      ("ipset hash:net", "-m set --match-set blocks src", nil), ("mark set", "-j MARK --set-xmark 0x1/0x1", nil),
      ("mark match", "-m mark --mark 0x99/0x99 -j DROP", nil),
      ("bridged", "-m physdev --physdev-is-bridged -j DROP", nil),
      ("limit (spent) and log", "-m limit --limit 1/day --limit-burst 1 -j NFLOG --nflog-group 100", nil),
    ]
    return texts.map { MicroRule(name: $0.name, backend: backend, rule: $0.text, base: $0.base) } + [
      MicroRule(name: firstState, backend: backend, rule: state, copies: 1),
      MicroRule(name: "further conntrack state", backend: backend, rule: state, copies: 101, base: firstState),
    ]
  }
}

/// Sets of 1,000 elements, one of which is the packet's.
enum MicroRuleset {
  private static let size = 1000
  private static func address(_ index: Int) -> String { "100.64.\(index / 250).\(index % 250 + 1)" }
  private static func block(_ index: Int) -> String { "100.\(65 + index / 250).\(index % 250).0/28" }

  /// Text for `nft -f`. With `nil`: the empty chain.
  static func nftText(_ rule: MicroRule?) -> String {
    let packet = "\(MicroRule.source) . \(MicroRule.destination) . \(BenchWorld.port)"
    let others = (1..<size).map(address)
    let triples = others.map { "\($0) . \(MicroRule.destination) . \(BenchWorld.port)" }
    let blocks = (1..<size).map(block)
    let sets: [(name: String, type: String, elements: [String])] = [
      ("addresses", "type ipv4_addr;", ["\(MicroRule.source)"] + others),
      ("sized", "type ipv4_addr; size \(size);", ["\(MicroRule.source)"] + others),
      ("blocks", "type ipv4_addr; flags interval;", ["\(MicroRule.source)"] + blocks),
      ("triples", "type ipv4_addr . ipv4_addr . inet_service;", [packet] + triples),
      (
        "ranges", "type ipv4_addr . ipv4_addr . inet_service; flags interval;",
        [packet] + blocks.map { "\($0) . \(MicroRule.destination) . \(BenchWorld.port)" }
      ),
    ]
    var lines = ["table ip micro {"]
    for set in sets where rule?.rule.contains("@\(set.name)") == true {
      lines += [
        "  set \(set.name) {", "    \(set.type)", "    elements = { \(set.elements.joined(separator: ", ")) }", "  }",
      ]
    }
    if rule?.rule.contains("@verdicts") == true {
      let elements = (["\(MicroRule.source)"] + others).map { "\($0) : continue" }
      lines += [
        "  map verdicts {", "    type ipv4_addr : verdict", "    elements = { \(elements.joined(separator: ", ")) }",
        "  }",
      ]
    }
    lines += ["  chain nothing {", "  }", "  chain returning {", "    return", "  }"]
    lines += ["  chain forward {", "    type filter hook forward priority 0; policy accept;"]
    if let rule { lines += [String](repeating: "    \(rule.rule)", count: rule.copies) }
    return (lines + ["  }", "}"]).joined(separator: "\n") + "\n"
  }

  /// Text for `iptables-restore`. With `nil`: the built-in chains only.
  static func iptablesText(_ rule: MicroRule?) -> String {
    let chains = ["INPUT ACCEPT", "FORWARD ACCEPT", "OUTPUT ACCEPT", "EMPTY -", "RETURNING -"]
    let rules = rule.map { [String](repeating: "-A FORWARD \($0.rule)", count: $0.copies) } ?? []
    return (["*filter"] + chains.map { ":\($0) [0:0]" } + ["-A RETURNING -j RETURN"] + rules + ["COMMIT"])
      .joined(separator: "\n") + "\n"
  }

  /// Text for `ipset restore`.
  static var ipsetText: String {
    var lines = ["create addresses hash:ip", "create blocks hash:net"]
    lines += ["add addresses \(MicroRule.source)", "add blocks \(MicroRule.source)"]
    lines += (1..<size).map { "add addresses \(address($0))" } + (1..<size).map { "add blocks \(block($0))" }
    return lines.joined(separator: "\n") + "\n"
  }
}
