internal import NetpolModel
internal import RuleIR

/// What a match compares with, as nft's text writes it: `80-90`, `10.0.0.0/8`, `@set`.
enum NftOperand {
  case one(String)
  /// `{ 80, 90 }`
  case set([String])
  /// `established,related`
  case flags([String])
}

/// One nft rule, filled one match or statement at a time. The readers for text and JSON both use it.
struct NftRuleDraft {
  let family: IPFamily
  private var rule = Rule([], [])
  private var isEnded = false

  init(family: IPFamily) { self.family = family }

  mutating func add(_ match: Match) throws(Problem) {
    guard rule.statements.isEmpty else { throw Problem("a match after a statement") }
    rule.matches.append(match)
  }

  mutating func add(_ statement: Statement) throws(Problem) {
    if isEnded { throw Problem("a statement after a verdict") }
    switch statement {
    case .counter, .setMark, .setMarkFrom, .notrack, .log: break
    case .jump, .goto, .verdictFrom, .gotoRandomly, .return, .accept, .drop, .reject, .dnat, .dnatRandomly, .masquerade:
      isEnded = true
    }
    rule.statements.append(statement)
  }

  /// Returns the rule. nft lists `reject with tcp reset` without the `meta l4proto tcp` that goes with it.
  func finished(comment: String?) -> Rule {
    var rule = rule
    rule.comment = comment
    let isTCP = rule.matches.contains {
      switch $0 {
      case .transport(.tcp), .port(.tcp, _), .multiport(.tcp, _): true
      default: false
      }
    }
    if rule.statements.last == .reject(.tcpReset), !isTCP { rule.matches.append(.transport(.tcp)) }
    return rule
  }
}

// MARK: Matches

extension NftRuleDraft {
  /// `key` is written as in nft's text: `ip saddr`, `tcp dport`, `ct state`, `meta mark`, `fib saddr type` …
  mutating func compare(_ key: String, mask: UInt32? = nil, negated: Bool, _ operand: NftOperand) throws(Problem) {
    if mask != nil, key != "meta mark" { throw Problem("\(key) under a mask is not understood") }
    let match = try match(key, mask, negated, operand)
    if negated {
      switch match {
      case .address, .inSet, .addresses, .mark: break
      default: throw Problem("\(key) can't be negated")
      }
    }
    try add(match)
  }

  private func match(
    _ key: String, _ mask: UInt32?, _ negated: Bool, _ operand: NftOperand
  ) throws(Problem) -> Match {
    let ip = family == .v4 ? "ip" : "ip6"
    switch key {
    case "\(ip) saddr": return try addresses(.source, operand, of: key, negated)
    case "\(ip) daddr": return try addresses(.destination, operand, of: key, negated)
    case "\(ip) dscp":
      let name = try one(operand, of: key)
      guard let point = codePoints[name] ?? nftNumber(name).flatMap({ UInt8(exactly: $0) }), point < 64 else {
        throw Problem("\(name) is not a code point")
      }
      return .codePoint(point)
    case "ct status":
      let names: [String] =
        switch operand {
        case .one(let name): [name]
        case .set(let names), .flags(let names): names
        }
      // IPS_DST_NAT, as `nft -n` lists it.
      guard names.count == 1, ["dnat", "0x20", "32"].contains(names[0]) else {
        throw Problem("status \(names.joined(separator: ",")) is not understood")
      }
      return .translated
    // With IPv6, extension headers may follow `nexthdr`, so only `meta l4proto` is accepted. With IPv4 both mean the
    // same.
    case "meta l4proto", family == .v4 ? "ip protocol" : "meta l4proto":
      let name = try one(operand, of: key)
      let transport = Transport.allCases.first { $0.keyword == name || "\($0.number)" == name }
      guard let transport else { throw Problem("protocol \(name) is not understood") }
      return .transport(transport)
    case "tcp dport": return try ports(.tcp, operand)
    case "udp dport": return try ports(.udp, operand)
    case "sctp dport": return try ports(.sctp, operand)
    case family == .v4 ? "icmp type" : "icmpv6 type":
      let name = try one(operand, of: key)
      let names = family == .v4 ? icmpTypes : icmpv6Types
      guard let type = names[name] ?? decimal(name) else { throw Problem("\(name) is not an ICMP type") }
      return .icmpType(type)
    case "ct state": return .conntrack(try states(operand))
    case "fib saddr type", "fib daddr type":
      let type = try one(operand, of: key)
      // RTN_LOCAL
      guard type == "local" || type == "2" else { throw Problem("address type \(type) is not understood") }
      return .local(key == "fib saddr type" ? .source : .destination)
    case "meta mark": return .mark(try mark(mask, try one(operand, of: key)), negated: negated)
    default: throw Problem("\(key) is not understood")
    }
  }

  private func one(_ operand: NftOperand, of key: String) throws(Problem) -> String {
    guard case .one(let word) = operand else { throw Problem("a list after \(key) is not understood") }
    return word
  }

  private func addresses(
    _ side: Side, _ operand: NftOperand, of key: String, _ negated: Bool
  ) throws(Problem) -> Match {
    guard case .set(let texts) = operand else { return try address(side, try one(operand, of: key), negated) }
    var networks: [CIDR] = []
    for text in texts { networks += try self.networks(text) }
    if networks.isEmpty { throw Problem("no addresses") }
    return .addresses(side, networks.sorted(), negated: negated)
  }

  /// An address, a network, or the networks of a range.
  private func networks(_ text: String) throws(Problem) -> [CIDR] {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    if ends.count == 2, let first = IPAddress(ends[0]), let last = IPAddress(ends[1]), first.family == family,
      last.family == family, first <= last
    {
      return CIDR.networks(from: first, through: last)
    }
    guard case .address(_, let cidr, _) = try address(.source, text, false) else {
      throw Problem("\(text) is not an address")
    }
    return [cidr]
  }

  private func address(_ side: Side, _ text: String, _ negated: Bool) throws(Problem) -> Match {
    if text.utf8.first == UInt8(ascii: "@") {
      return .inSet(side, String(Substring(text.utf8.dropFirst())), negated: negated)
    }
    guard let cidr = CIDR(text) ?? IPAddress(text).map({ CIDR($0) }) else {
      throw Problem("\(text) is not an address")
    }
    guard cidr.family == family else { throw Problem("\(text) is not \(family.rawValue)") }
    return .address(side, cidr, negated: negated)
  }

  /// nft keeps `5000-5000`. `multiport` with one port is the only match that is written this way.
  private func ports(_ transport: Transport, _ operand: NftOperand) throws(Problem) -> Match {
    switch operand {
    case .one(let text):
      let range = try portRange(text)
      return text.utf8.contains(UInt8(ascii: "-")) && range.first == range.last
        ? .multiport(transport, [range]) : .port(transport, range)
    case .set(let texts):
      var ranges: [PortRange] = []
      for text in texts { ranges.append(try portRange(text)) }
      if ranges.isEmpty { throw Problem("no ports") }
      return .multiport(transport, ranges)
    case .flags: throw Problem("a list after \(transport.keyword) dport is not understood")
    }
  }

  private func portRange(_ text: String) throws(Problem) -> PortRange {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(ends.count), let first: UInt16 = ends.first.flatMap({ decimal($0) }),
      let last: UInt16 = ends.last.flatMap({ decimal($0) }), first <= last
    else { throw Problem("\(text) is not a port or a range of ports") }
    return PortRange(first, last)
  }

  /// A packet has only one state, so a set and a list of flags mean the same.
  private func states(_ operand: NftOperand) throws(Problem) -> Set<ConntrackState> {
    let names =
      switch operand {
      case .one(let name): [name]
      case .set(let names), .flags(let names): names
      }
    var states: Set<ConntrackState> = []
    for name in names {
      // Bits of `NF_CT_STATE_BIT`, as `nft -n` lists them.
      switch name {
      case "invalid", "0x1", "1": states.insert(.invalid)
      case "established", "0x2", "2": states.insert(.established)
      case "related", "0x4", "4": states.insert(.related)
      case "new", "0x8", "8": states.insert(.new)
      case "untracked", "0x40", "64": states.insert(.untracked)
      default: throw Problem("state \(name) is not understood")
      }
    }
    if states.isEmpty { throw Problem("no states") }
    return states
  }

  /// nft lists a mask of the highest bits as a prefix: `0x00010000/16`.
  private func mark(_ mask: UInt32?, _ text: String) throws(Problem) -> Mark {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let length = parts.count == 2 && mask == nil ? decimal(parts[1], as: UInt32.self) : 32
    guard (1...2).contains(parts.count), let value = nftNumber(parts[0]), let length, length <= 32,
      parts.count == 1 || mask == nil
    else { throw Problem("\(text) is not a mark") }
    // A shift by 32 bits leaves no bits.
    return Mark(value, mask: mask ?? UInt32.max << (32 - length))
  }

  /// `rate` and `unit` are as in `10/minute`. Without a burst the kernel's default applies, 5
  /// (`NFT_LIMIT_PKT_BURST_DEFAULT`).
  mutating func addLimit(rate: String, per unit: String, burst: String?) throws(Problem) {
    let units: [String: RateLimit.Unit] = ["second": .second, "minute": .minute, "hour": .hour, "day": .day]
    guard let unit = units[unit], let rate: UInt32 = decimal(rate), rate > 0 else {
      throw Problem("\(rate)/\(unit) is not a limit that is understood")
    }
    guard let burst: UInt32 = burst == nil ? 5 : decimal(burst ?? ""), burst > 0 else {
      throw Problem("\(burst ?? "") is not a burst")
    }
    try add(.limit(RateLimit(Int(rate), per: unit, burst: Int(burst))))
  }
}

// MARK: Statements

extension NftRuleDraft {
  /// `icmp` with a code, `tcp reset`, or nothing, which means port unreachable.
  mutating func addReject(type: String?, code: String?) throws(Problem) {
    switch (type, code) {
    case (nil, nil): try add(.reject(.portUnreachable))
    case ("tcp reset", nil): try add(.reject(.tcpReset))
    case (family == .v4 ? "icmp" : "icmpv6", "port-unreachable"), (family == .v4 ? "icmp" : "icmpv6", nil):
      try add(.reject(.portUnreachable))
    // Code 3 of ICMP, code 4 of ICMPv6, as `nft -n` lists them.
    case ("icmp", "3") where family == .v4: try add(.reject(.portUnreachable))
    case ("icmpv6", "4") where family == .v6: try add(.reject(.portUnreachable))
    default: throw Problem("reject with \([type, code].compactMap { $0 }.joined(separator: " ")) is not understood")
    }
  }

  mutating func addLog(group: String?, prefix: String?) throws(Problem) {
    guard let group else { throw Problem("log without a group is not understood") }
    guard let number: UInt16 = decimal(group) else { throw Problem("\(group) is not a group of log") }
    try add(.log(group: number, prefix: prefix))
  }

  /// `10.0.0.5:80`, `[fd00::5]:80`, or an address alone.
  mutating func addDNAT(to text: String) throws(Problem) {
    guard let (address, port) = translationTarget(text), address.family == family else {
      throw Problem("dnat to \(text) is not understood")
    }
    try add(.dnat(address, port: port))
  }

  /// `10.0.0.5 . 80`, the destinations of a random choice, in its order.
  mutating func addRandomDNAT(_ choices: [(number: String, value: String)], mod: String) throws(Problem) {
    var targets: [Statement.Destination] = []
    for choice in choices {
      let parts = choice.value.split(separator: " . ", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let address = IPAddress(parts[0]), address.family == family,
        let port: UInt16 = decimal(parts[1])
      else { throw Problem("\(choice.value) is not an address and a port") }
      targets.append(Statement.Destination(address, port: port))
    }
    try check(choices, mod: mod)
    try add(.dnatRandomly(targets))
  }

  /// `goto CHAIN`, the verdicts of a random choice, in its order.
  mutating func addRandomGoto(_ choices: [(number: String, value: String)], mod: String) throws(Problem) {
    var chains: [ChainName] = []
    for choice in choices {
      guard choice.value.hasPrefix("goto ") else {
        throw Problem("\(choice.value) in a random choice is not understood")
      }
      chains.append(String(choice.value.dropFirst(5)))
    }
    try check(choices, mod: mod)
    try add(.gotoRandomly(chains))
  }

  /// Every number below the modulus must have a choice, in order.
  private func check(_ choices: [(number: String, value: String)], mod: String) throws(Problem) {
    guard !choices.isEmpty, mod == "\(choices.count)",
      choices.enumerated().allSatisfy({ "\($0)" == $1.number })
    else { throw Problem("a random choice that is not among all of its values is not understood") }
  }

  mutating func addSetMark(_ bits: MarkBits) throws(Problem) {
    try add(.setMark(Mark(bits.flipped, mask: ~bits.kept)))
  }
}

/// The effect of operations on the mark: `(mark & kept) ^ flipped`. A constant keeps nothing.
struct MarkBits {
  var kept: UInt32
  var flipped: UInt32

  static let unchanged = MarkBits(kept: .max, flipped: 0)

  /// The precedence of each operator. Higher numbers bind more tightly.
  static func precedence(_ name: String) -> Int? {
    ["&": 3, "and": 3, "^": 2, "xor": 2, "|": 1, "or": 1][name]
  }

  mutating func apply(_ name: String, _ value: UInt32) throws(Problem) {
    switch Self.precedence(name) {
    case 3:
      kept &= value
      flipped &= value
    case 2: flipped ^= value
    case 1:
      kept &= ~value
      flipped |= value
    default: throw Problem("\(name) is not an operation on marks")
    }
  }
}

/// `nft describe ip dscp`
private let codePoints: [String: UInt8] = [
  "cs0": 0, "df": 0, "be": 0, "lephb": 1, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56,
  "af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30,
  "af41": 34, "af42": 36, "af43": 38, "va": 44, "ef": 46,
]

/// `nft describe icmp type`
private let icmpTypes: [String: UInt8] = [
  "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
  "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
  "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16, "address-mask-request": 17,
  "address-mask-reply": 18,
]

/// `nft describe icmpv6 type`
private let icmpv6Types: [String: UInt8] = [
  "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
  "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132,
  "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138, "ind-neighbor-solicit": 141,
  "ind-neighbor-advert": 142, "mld2-listener-report": 143,
]
