public import NetpolModel
public import RuleIR

/// Returns a ruleset as `nft list ruleset` 1.0.6 prints it, but without the zero values of counters.
/// `nft -f` can read it.
///
/// Each table has the sets of its family. Sets come first, then chains, in the order given.
public func nftText(_ ruleset: Ruleset) throws(Unsupported) -> String {
  var text = ""
  for table in ruleset.tables {
    text += "table \(table.family.nft) \(table.name) {\n"
    if let comment = table.comment { text += "\tcomment \(nftQuoted(comment))\n" }
    var objects: [String] = []
    for set in ruleset.sets where set.family == table.family { objects.append(try nftSetText(set)) }
    for set in ruleset.keyedSets where set.family == table.family { objects.append(nftKeyedSetText(set)) }
    for chain in table.chains { objects.append(try nftChainText(chain, table.family)) }
    text += objects.joined(separator: "\n") + "}\n"
  }
  return text
}

private func nftSetText(_ set: NamedSet) throws(Unsupported) -> String {
  var lines = ["\tset \(set.name) {", "\t\ttype \(set.family.nftAddress)"]
  switch set.kind {
  case .addresses: break
  case .interval: lines.append("\t\tflags interval")
  case .hashNet: throw Unsupported("the set \(set.name) of type hash:net", in: "nft")
  }
  if let comment = set.comment { lines.append("\t\tcomment \(nftQuoted(comment))") }
  let members = set.stored.map { nftAddress($0.cidr) }
  if !members.isEmpty { lines.append("\t\telements = { \(members.joined(separator: ", ")) }") }
  return lines.joined(separator: "\n") + "\n\t}\n"
}

private func nftChainText(_ chain: Chain, _ family: IPFamily) throws(Unsupported) -> String {
  var lines = ["\tchain \(chain.name) {"]
  if let comment = chain.comment { lines.append("\t\tcomment \(nftQuoted(comment))") }
  if let base = chain.base {
    lines.append(
      "\t\ttype \(base.kind.rawValue) hook \(base.hook.rawValue) priority \(base.priorityName); "
        + "policy \(base.policy.rawValue);")
  }
  for rule in chain.rules { lines.append("\t\t\(try nftRuleText(rule, family))") }
  return lines.joined(separator: "\n") + "\n\t}\n"
}

/// Returns a rule as nft lists it: matches in their order, then statements in theirs, then the comment.
public func nftRuleText(_ rule: Rule, _ family: IPFamily) throws(Unsupported) -> String {
  var parts: [String] = []
  for match in rule.matches { parts.append(try nftMatchText(match, family)) }
  for statement in rule.statements { parts.append(try nftStatementText(statement, family)) }
  if let comment = rule.comment { parts.append("comment \(nftQuoted(comment))") }
  return parts.joined(separator: " ")
}

private func nftMatchText(_ match: Match, _ family: IPFamily) throws(Unsupported) -> String {
  let ip = family.nft
  let address = { (side: Side) in "\(ip) \(side == .source ? "saddr" : "daddr")" }
  return switch match {
  case .address(let side, let cidr, let negated): "\(address(side))\(negated ? " !=" : "") \(nftAddress(cidr))"
  case .inSet(let side, let name, let negated): "\(address(side))\(negated ? " !=" : "") @\(name)"
  case .addresses(let side, let cidrs, let negated):
    "\(address(side))\(negated ? " !=" : "") { \(cidrs.map(nftAddress).joined(separator: ", ")) }"
  case .translated: "ct status dnat"
  case .keyed(let fields, let name): "\(nftKeyText(fields, family)) @\(name)"
  case .transport(let transport): "meta l4proto \(transport.keyword)"
  case .port(let transport, let range): "\(transport.keyword) dport \(range)"
  case .multiport(let transport, let ranges):
    ranges.count == 1
      ? "\(transport.keyword) dport \(ranges[0].first)-\(ranges[0].last)"
      : "\(transport.keyword) dport { \(ranges.map(\.description).joined(separator: ", ")) }"
  case .icmpType(let type): "\(family == .v4 ? "icmp" : "icmpv6") type \(icmpTypeName(type, family))"
  case .conntrack(let states):
    // In the order of nft's symbol table.
    "ct state "
      + [ConntrackState.invalid, .new, .established, .related, .untracked].filter(states.contains).map {
        $0.rawValue.lowercased()
      }
      .joined(separator: ",")
  case .sourcePort: throw Unsupported("a match on the source port", in: "nft")
  case .bridged: throw Unsupported("a match on bridged packets", in: "nft")
  case .local(let side): "fib \(side == .source ? "saddr" : "daddr") type local"
  case .mark(let mark, let negated) where mark.mask == .max: "meta mark \(negated ? "!= " : "")\(hex(mark.value))"
  case .mark(let mark, let negated): "meta mark & \(hex(mark.mask)) \(negated ? "!=" : "==") \(hex(mark.value))"
  case .limit(let limit): "limit rate \(limit.rate)/\(limit.unit.nftName) burst \(limit.burst) packets"
  case .random: throw Unsupported("a random match", in: "nft")
  case .codePoint(let point): "\(ip) dscp \(codePointNames[point] ?? "0x\(String(hex(UInt32(point)).suffix(2)))")"
  }
}

private func nftStatementText(_ statement: Statement, _ family: IPFamily) throws(Unsupported) -> String {
  switch statement {
  case .counter: "counter"
  case .setMark(let mark) where mark.mask == .max: "meta mark set \(hex(mark.value))"
  case .setMarkFrom(let fields, let map): "meta mark set \(nftKeyText(fields, family)) map @\(map)"
  // Setting bits and clearing bits have forms of their own. Everything else is written as clear, then set.
  case .setMark(let mark) where mark.value == mark.mask: "meta mark set meta mark | \(hex(mark.value))"
  case .setMark(let mark) where mark.value == 0 && mark.mask != 0: "meta mark set meta mark & \(hex(~mark.mask))"
  case .setMark(let mark) where mark.mask == 0: "meta mark set meta mark ^ \(hex(mark.value))"
  case .setMark(let mark): "meta mark set meta mark & \(hex(~mark.mask)) ^ \(hex(mark.value))"
  case .notrack: throw Unsupported("notrack", in: "nft")
  case .log(let group, let prefix): "log\(prefix.map { " prefix \(nftQuoted($0))" } ?? "") group \(group)"
  case .jump(let chain): "jump \(chain)"
  case .goto(let chain): "goto \(chain)"
  case .verdictFrom(let fields, let map): "\(nftKeyText(fields, family)) vmap @\(map)"
  case .gotoRandomly(let chains):
    "numgen random mod \(chains.count) vmap { \(chains.enumerated().map { "\($0) : goto \($1)" }.joined(separator: ", ")) }"
  case .return: "return"
  case .accept: "accept"
  case .drop: "drop"
  case .reject(.portUnreachable): "reject"
  case .reject(.tcpReset): "reject with tcp reset"
  case .dnat(let address, let port): "dnat to \(port.map { address.description(port: $0) } ?? "\(address)")"
  // nft 1.0.6 leaves `addr . port` out.
  case .dnatRandomly(let targets):
    "dnat \(family.nft) to numgen random mod \(targets.count) map "
      + "{ \(targets.enumerated().map { "\($0) : \($1.address) . \($1.port)" }.joined(separator: ", ")) }"
  case .masquerade(let randomFully): randomFully ? "masquerade fully-random" : "masquerade"
  }
}

extension Chain.Base {
  /// nft names some priorities at some hooks, and those up to ten from them (`std_prios` and `prio2str` of its rule.c).
  fileprivate var priorityName: String {
    let standard: [(name: String, priority: Int, hooks: Set<Hook>)] = [
      ("raw", -300, Set(Hook.allCases)), ("mangle", -150, Set(Hook.allCases)), ("dstnat", -100, [.prerouting]),
      ("filter", 0, Set(Hook.allCases)), ("security", 50, Set(Hook.allCases)), ("srcnat", 100, [.postrouting]),
    ]
    guard let near = standard.first(where: { abs($0.priority - priority) <= 10 && $0.hooks.contains(hook) }) else {
      return "\(priority)"
    }
    let offset = priority - near.priority
    return offset == 0 ? near.name : "\(near.name) \(offset < 0 ? "-" : "+") \(abs(offset))"
  }
}

func nftAddress(_ cidr: CIDR) -> String { cidr.isHost ? "\(cidr.network)" : "\(cidr)" }

func hex(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

/// nft strings have no escapes, so quotes and line breaks are removed. Names can't contain any.
func nftQuoted(_ text: String) -> String { "\"\(text.filter { $0 != "\"" && !$0.isNewline && $0 != "\0" })\"" }

/// `nft describe ip dscp`
private let codePointNames: [UInt8: String] = [
  0: "cs0", 1: "lephb", 8: "cs1", 16: "cs2", 24: "cs3", 32: "cs4", 40: "cs5", 48: "cs6", 56: "cs7", 10: "af11",
  12: "af12", 14: "af13", 18: "af21", 20: "af22", 22: "af23", 26: "af31", 28: "af32", 30: "af33", 34: "af41",
  36: "af42", 38: "af43", 44: "va", 46: "ef",
]

private func icmpTypeName(_ type: UInt8, _ family: IPFamily) -> String {
  let names: [UInt8: String] =
    family == .v4
    ? [0: "echo-reply", 3: "destination-unreachable", 8: "echo-request", 11: "time-exceeded", 12: "parameter-problem"]
    : [
      1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem",
      128: "echo-request", 129: "echo-reply", 133: "nd-router-solicit", 134: "nd-router-advert",
      135: "nd-neighbor-solicit", 136: "nd-neighbor-advert", 137: "nd-redirect",
    ]
  return names[type] ?? "\(type)"
}

extension RateLimit.Unit {
  fileprivate var nftName: String { self == .second ? "second" : self == .minute ? "minute" : rawValue }
}
