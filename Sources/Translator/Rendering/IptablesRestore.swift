public import NetpolModel
public import RuleIR

/// Returns a table as `iptables-save` 1.8.9 prints it. `iptables-restore` can read it. Counters are zero, and there is
/// no header.
///
/// Built-in chains come first, in the kernel's order, then user chains by name. Rules are grouped by chain.
public func iptablesRestoreText(_ table: Table) throws(Unsupported) -> String {
  let builtIn = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]
  let rank = { (chain: Chain) in builtIn.firstIndex(of: chain.name) ?? builtIn.count }
  let chains = table.chains.sorted { (rank($0), $0.name) < (rank($1), $1.name) }
  var text = "*\(table.name)\n"
  for chain in chains {
    text += ":\(chain.name) \(chain.base.map { $0.policy == .accept ? "ACCEPT" : "DROP" } ?? "-") [0:0]\n"
  }
  for chain in chains {
    for rule in chain.rules { text += "-A \(chain.name)\(try iptablesRuleText(rule, table.family))\n" }
  }
  return text + "COMMIT\n"
}

/// Returns the part of a rule after `-A CHAIN`, as `iptables-save` prints it: addresses and protocol, the comment, the
/// matches in their order, then the target. `physdev` is the only match before the comment.
public func iptablesRuleText(_ rule: Rule, _ family: IPFamily) throws(Unsupported) -> String {
  var text = ""
  for side in Side.allCases {
    for case .address(side, let cidr, let negated) in rule.matches {
      text += "\(negated ? " !" : "") \(side == .source ? "-s" : "-d") \(cidr)"
    }
  }
  let protocols = Set(rule.matches.compactMap { protocolText($0, family) })
  if protocols.count > 1 { throw Unsupported("two protocols in one rule", in: "iptables") }
  for name in protocols { text += " -p \(name)" }
  for match in rule.matches where match == .bridged { text += try matchText(match, family) }
  if let comment = rule.comment { text += " -m comment --comment \(try quoted(stored(comment)))" }
  for match in rule.matches where match != .bridged { text += try matchText(match, family) }
  let targets = rule.statements.filter { $0 != .counter }
  guard targets.count <= 1 else { throw Unsupported("two statements in one rule", in: "iptables") }
  if let target = targets.first { text += " -j \(try targetText(target, family))" }
  return text
}

/// iptables-restore silently cuts a comment to 255 bytes (`XT_MAX_COMMENT_LEN` with its NUL).
private func stored(_ comment: String) -> String {
  comment.utf8.count <= 255 ? comment : String(decoding: comment.utf8.prefix(255), as: UTF8.self)
}

private func protocolText(_ match: Match, _ family: IPFamily) -> String? {
  switch match {
  case .transport(let transport), .port(let transport, _), .sourcePort(let transport, _), .multiport(let transport, _):
    transport.keyword
  case .icmpType: family == .v4 ? "icmp" : "ipv6-icmp"
  case .address, .inSet, .addresses, .keyed, .conntrack, .translated, .bridged, .local, .mark, .limit, .random,
    .codePoint:
    nil
  }
}

private func matchText(_ match: Match, _ family: IPFamily) throws(Unsupported) -> String {
  switch match {
  case .address, .transport: ""
  case .inSet(let side, let name, let negated):
    " -m set\(negated ? " !" : "") --match-set \(name) \(side.rawValue)"
  case .addresses: throw Unsupported("a match on several networks", in: "iptables")
  case .translated: throw Unsupported("a match on translated packets", in: "iptables")
  case .keyed(_, let name): throw Unsupported("the keyed set \(name)", in: "iptables")
  case .port(let transport, let range): " -m \(transport.keyword) --dport \(portText(range))"
  case .sourcePort(let transport, let range): " -m \(transport.keyword) --sport \(portText(range))"
  case .multiport(_, let ranges): " -m multiport --dports \(ranges.map(portText).joined(separator: ","))"
  case .icmpType(let type): family == .v4 ? " -m icmp --icmp-type \(type)" : " -m icmp6 --icmpv6-type \(type)"
  case .conntrack(let states):
    // In the order of xt_conntrack's table, not in that of the rule.
    " -m conntrack --ctstate "
      + [ConntrackState.invalid, .new, .related, .established, .untracked].filter(states.contains).map(\.rawValue)
      .joined(separator: ",")
  case .bridged: " -m physdev --physdev-is-bridged"
  case .local(let side): " -m addrtype --\(side.rawValue)-type LOCAL"
  case .mark(let mark, let negated): " -m mark\(negated ? " !" : "") --mark \(markText(mark))"
  case .limit(let limit): limitText(limit)
  case .random(let share): " -m statistic --mode random --probability \(probabilityText(share))"
  case .codePoint(let point): " -m dscp --dscp 0x\(point < 16 ? "0" : "")\(String(point, radix: 16))"
  }
}

/// The kernel stores a limit as the ticks between two packets (`XT_LIMIT_SCALE`, 10,000 a second). iptables-save
/// converts them to the finest unit that keeps the rate (`print_rate` of libxt_limit). A burst of 5 is the default.
private func limitText(_ limit: RateLimit) -> String {
  let isStorable = limit.rate > 0 && limit.rate <= 10_000 * limit.unit.seconds && (0...10_000).contains(limit.burst)
  // Printed as given. iptables-restore refuses it.
  if !isStorable { return " -m limit --limit \(limit.rate)/\(limit.unit.rawValue) --limit-burst \(limit.burst)" }
  let units = RateLimit.Unit.allCases.reversed().map { (name: $0.rawValue, ticks: 10_000 * $0.seconds) }
  let period = max(1, 10_000 * limit.unit.seconds / max(limit.rate, 1))
  let kept = units.dropFirst().prefix { $0.ticks >= period && $0.ticks / period >= $0.ticks % period }
  let unit = kept.last ?? units[0]
  return " -m limit --limit \(unit.ticks / period)/\(unit.name)"
    + (limit.burst == 5 || limit.burst == 0 ? "" : " --limit-burst \(limit.burst)")
}

/// Like `%.11f` of libxt_statistic.
private func probabilityText(_ share: UInt32) -> String {
  // 11 decimals of share / 2^31, rounded to the nearest.
  let scaled = (UInt128(share) * 100_000_000_000 + (1 << 30)) >> 31
  let digits = String(scaled % 100_000_000_000)
  return "\(scaled / 100_000_000_000)." + String(repeating: "0", count: 11 - digits.count) + digits
}

private func portText(_ range: PortRange) -> String {
  range.first == range.last ? "\(range.first)" : "\(range.first):\(range.last)"
}

private func markText(_ mark: Mark) -> String {
  "0x\(String(mark.value, radix: 16))/0x\(String(mark.mask, radix: 16))"
}

private func targetText(_ statement: Statement, _ family: IPFamily) throws(Unsupported) -> String {
  switch statement {
  case .counter: ""
  case .setMark(let mark): "MARK --set-xmark \(markText(mark))"
  case .setMarkFrom(_, let name): throw Unsupported("the map \(name)", in: "iptables")
  case .log(let group, let prefix):
    "NFLOG\(try prefix.map { (text) throws(Unsupported) in " --nflog-prefix \(try quoted(text))" } ?? "") --nflog-group \(group)"
  case .verdictFrom(_, let name): throw Unsupported("the map \(name)", in: "iptables")
  case .goto: throw Unsupported("a goto", in: "iptables")
  case .gotoRandomly, .dnatRandomly: throw Unsupported("a random choice in one rule", in: "iptables")
  case .notrack: "CT --notrack"
  case .jump(let chain): chain
  case .return: "RETURN"
  case .accept: "ACCEPT"
  case .drop: "DROP"
  case .reject(.portUnreachable):
    "REJECT --reject-with \(family == .v4 ? "icmp-port-unreachable" : "icmp6-port-unreachable")"
  case .reject(.tcpReset): "REJECT --reject-with tcp-reset"
  case .dnat(let address, let port):
    "DNAT --to-destination \(port.map { address.description(port: $0) } ?? "\(address)")"
  case .masquerade(let randomFully): "MASQUERADE\(randomFully ? " --random-fully" : "")"
  }
}

/// Like `xtables_save_string`: bare if the text has only letters, digits, `_` and `-`, otherwise quoted and escaped.
/// Throws for a text that would end the line.
private func quoted(_ text: String) throws(Unsupported) -> String {
  if text.utf8.contains(where: { [0x00, 0x0a, 0x0d].contains($0) }) {
    throw Unsupported("a text with a line break", in: "iptables")
  }
  let bare =
    !text.isEmpty
    && text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95 || byte == 45
    }
  if bare { return text }
  var result = "\""
  for character in text.unicodeScalars {
    if character == "\"" || character == "\\" || character == "'" { result += "\\" }
    result.unicodeScalars.append(character)
  }
  return result + "\""
}
