internal import NetpolModel
internal import RuleIR

/// Reads the part of a rule after `-A CHAIN` from left to right.
struct IptablesRuleReader {
  private enum IPProtocol: Equatable {
    case transport(Transport)
    case icmp
  }

  private var words: Words
  private let family: IPFamily
  /// The chains that `-j` may jump to.
  private let userChains: Set<ChainName>
  private var rule = Rule([], [])
  private var ipProtocol: IPProtocol?
  /// Where `-p` was among the matches.
  private var protocolPlace = 0
  /// Whether a match has already expressed the protocol.
  private var protocolIsSaid = false

  init(_ words: Words, family: IPFamily, userChains: Set<ChainName>) {
    self.words = words
    self.family = family
    self.userChains = userChains
  }

  mutating func read() throws(Problem) -> Rule {
    while let word = words.next() {
      switch word {
      case "-s": try readAddress(.source, word, negated: false)
      case "-d": try readAddress(.destination, word, negated: false)
      case "-p": try readProtocol()
      case "-m": try readMatch(try words.value(of: word))
      case "-j":
        rule.statements = [try target(try words.value(of: word))]
        try words.checkEnd()
      case "!":
        switch words.next() {
        case "-s"?: try readAddress(.source, "! -s", negated: true)
        case "-d"?: try readAddress(.destination, "! -d", negated: true)
        case let other: throw Problem("\(other ?? "nothing") can't be negated")
        }
      default: throw Problem("\(word) is not understood")
      }
    }
    if let ipProtocol, !protocolIsSaid {
      guard case .transport(let transport) = ipProtocol else { throw Problem("ICMP without a type") }
      rule.matches.insert(.transport(transport), at: protocolPlace)
    }
    return rule
  }

  private mutating func readAddress(_ side: Side, _ option: String, negated: Bool) throws(Problem) {
    let text = try words.value(of: option)
    guard let cidr = CIDR(text) ?? IPAddress(text).map({ CIDR($0) }) else {
      throw Problem("\(text) is not an address")
    }
    guard cidr.family == family else { throw Problem("\(text) is not \(family.rawValue)") }
    for case .address(side, _, _) in rule.matches { throw Problem("\(option) appears twice") }
    rule.matches.append(.address(side, cidr, negated: negated))
  }

  private mutating func readProtocol() throws(Problem) {
    let name = try words.value(of: "-p")
    guard ipProtocol == nil else { throw Problem("-p appears twice") }
    if name == (family == .v4 ? "icmp" : "ipv6-icmp") {
      ipProtocol = .icmp
    } else if let transport = Transport.allCases.first(where: { $0.keyword == name }) {
      ipProtocol = .transport(transport)
    } else {
      throw Problem("protocol \(name) is not understood")
    }
    protocolPlace = rule.matches.count
  }
}

// MARK: Matches

extension IptablesRuleReader {
  private mutating func readMatch(_ module: String) throws(Problem) {
    switch module {
    case "comment":
      try expect("--comment", of: module)
      guard rule.comment == nil else { throw Problem("two comments") }
      rule.comment = try words.value(of: "--comment")
    case "tcp", "udp", "sctp":
      guard case .transport(let transport) = ipProtocol, transport.keyword == module else {
        throw Problem("-m \(module) without -p \(module)")
      }
      // iptables-save prints the module without an option if its ports match everything.
      guard let next = words.peek, next == "!" || next.hasPrefix("--") else { return }
      if words.take("--sport") {
        rule.matches.append(.sourcePort(transport, try ports(try words.value(of: "--sport"))))
      } else {
        try expect("--dport", of: module)
        rule.matches.append(.port(transport, try ports(try words.value(of: "--dport"))))
      }
      protocolIsSaid = true
    case "multiport":
      guard case .transport(let transport) = ipProtocol else { throw Problem("-m multiport without TCP, UDP or SCTP") }
      try expect("--dports", of: module)
      var ranges: [PortRange] = []
      for range in try words.value(of: "--dports").split(separator: ",", omittingEmptySubsequences: false) {
        ranges.append(try ports(String(range)))
      }
      rule.matches.append(.multiport(transport, ranges))
      protocolIsSaid = true
    case "nfacct":
      // kube-proxy uses it to count what a rule matches (nfacct(8)). Like a counter, it matches every packet.
      try expect("--nfacct-name", of: module)
      _ = try words.value(of: "--nfacct-name")
    case family == .v4 ? "icmp" : "icmp6":
      guard ipProtocol == .icmp else { throw Problem("-m \(module) without its protocol") }
      let option = family == .v4 ? "--icmp-type" : "--icmpv6-type"
      try expect(option, of: module)
      let text = try words.value(of: option)
      // For xt_icmp, 255 means any type.
      guard let type: UInt8 = decimal(text), family == .v6 || type != 255 else {
        throw Problem("\(text) is not an ICMP type")
      }
      rule.matches.append(.icmpType(type))
      protocolIsSaid = true
    default: rule.matches.append(try match(module))
    }
  }

  /// A match that needs no protocol.
  private mutating func match(_ module: String) throws(Problem) -> Match {
    switch module {
    case "set":
      let negated = words.take("!")
      try expect("--match-set", of: module)
      let name = try words.value(of: "--match-set")
      let text = try words.value(of: "--match-set \(name)")
      guard let side = Side(rawValue: text) else { throw Problem("\(text) is neither src nor dst") }
      return .inSet(side, name, negated: negated)
    case "conntrack":
      try expect("--ctstate", of: module)
      var states: Set<ConntrackState> = []
      for name in try words.value(of: "--ctstate").split(separator: ",", omittingEmptySubsequences: false) {
        guard let state = ConntrackState(rawValue: String(name)) else {
          throw Problem("state \(name) is not understood")
        }
        states.insert(state)
      }
      return .conntrack(states)
    case "physdev":
      try expect("--physdev-is-bridged", of: module)
      return .bridged
    case "addrtype":
      let side: Side = words.peek == "--src-type" ? .source : .destination
      let option = "--\(side.rawValue)-type"
      try expect(option, of: module)
      let type = try words.value(of: option)
      guard type == "LOCAL" else { throw Problem("address type \(type) is not understood") }
      return .local(side)
    case "mark":
      let negated = words.take("!")
      try expect("--mark", of: module)
      return .mark(try mark(try words.value(of: "--mark")), negated: negated)
    case "limit":
      try expect("--limit", of: module)
      return .limit(try limit(try words.value(of: "--limit")))
    case "statistic":
      try expect("--mode", of: module)
      let mode = try words.value(of: "--mode")
      guard mode == "random" else { throw Problem("mode \(mode) of -m statistic is not understood") }
      try expect("--probability", of: module)
      let text = try words.value(of: "--probability")
      guard let share = Double(text), (0...1).contains(share) else { throw Problem("\(text) is not a probability") }
      return .random(share: UInt32((share * 0x8000_0000).rounded()))
    case "dscp":
      try expect("--dscp", of: module)
      let text = try words.value(of: "--dscp")
      guard text.hasPrefix("0x"), let point = UInt8(text.dropFirst(2), radix: 16), point < 64 else {
        throw Problem("\(text) is not a code point")
      }
      return .codePoint(point)
    default: throw Problem("match \(module) is not understood")
    }
  }

  private mutating func expect(_ option: String, of module: String) throws(Problem) {
    if words.take(option) { return }
    if words.take("!") { throw Problem("\(words.next() ?? "nothing") of -m \(module) can't be negated") }
    throw Problem("\(words.peek ?? "nothing") is not understood after -m \(module)")
  }

  /// `80` or `80:90`
  private func ports(_ text: String) throws(Problem) -> PortRange {
    let ends = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(ends.count), let first: UInt16 = ends.first.flatMap({ decimal($0) }),
      let last: UInt16 = ends.last.flatMap({ decimal($0) }), first <= last
    else { throw Problem("\(text) is not a port or a range of ports") }
    return PortRange(first, last)
  }

  /// `0x1/0x3`. iptables-save omits a mask of all bits.
  private func mark(_ text: String) throws(Problem) -> Mark {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let value = parts.first.flatMap { hexadecimal($0) }
    let mask = parts.count == 1 ? UInt32.max : parts.last.flatMap { hexadecimal($0) }
    guard parts.count <= 2, let value, let mask else { throw Problem("\(text) is not a mark") }
    return Mark(value, mask: mask)
  }

  /// `10/min`, then `--limit-burst 10`, or nothing for a burst of 5.
  private mutating func limit(_ text: String) throws(Problem) -> RateLimit {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    // More than 10,000 a second exceeds the resolution of xt_limit's clock.
    guard parts.count == 2, let rate: Int = decimal(parts[0]),
      let unit = RateLimit.Unit(rawValue: String(parts[1])), (1...10_000 * unit.seconds).contains(rate)
    else { throw Problem("\(text) is not a limit") }
    var burst = 5
    if words.take("--limit-burst") {
      let text = try words.value(of: "--limit-burst")
      guard let number: Int = decimal(text), (1...10_000).contains(number) else {
        throw Problem("\(text) is not a burst")
      }
      burst = number
    }
    return RateLimit(rate, per: unit, burst: burst)
  }
}

// MARK: Target

extension IptablesRuleReader {
  private mutating func target(_ name: String) throws(Problem) -> Statement {
    switch name {
    case "ACCEPT": return .accept
    case "DROP": return .drop
    case "RETURN": return .return
    case "REJECT":
      let kind = words.take("--reject-with") ? try words.value(of: "--reject-with") : "nothing"
      switch kind {
      case family == .v4 ? "icmp-port-unreachable" : "icmp6-port-unreachable": return .reject(.portUnreachable)
      case "tcp-reset": return .reject(.tcpReset)
      default: throw Problem("REJECT with \(kind) is not understood")
      }
    case "MARK":
      guard words.take("--set-xmark") else { throw Problem("\(words.peek ?? "nothing") is not understood after MARK") }
      return .setMark(try mark(try words.value(of: "--set-xmark")))
    case "CT":
      guard words.take("--notrack") else { throw Problem("\(words.peek ?? "nothing") is not understood after CT") }
      return .notrack
    case "NFLOG":
      let prefix = words.take("--nflog-prefix") ? try words.value(of: "--nflog-prefix") : nil
      // iptables-save omits group 0.
      let text = words.take("--nflog-group") ? try words.value(of: "--nflog-group") : "0"
      guard let group: UInt16 = decimal(text) else { throw Problem("\(text) is not a group of NFLOG") }
      return .log(group: group, prefix: prefix)
    case "DNAT":
      guard words.take("--to-destination") else {
        throw Problem("\(words.peek ?? "nothing") is not understood after DNAT")
      }
      let text = try words.value(of: "--to-destination")
      guard let (address, port) = translationTarget(text), address.family == family else {
        throw Problem("\(text) is not an \(family.rawValue) address, with or without a port")
      }
      return .dnat(address, port: port)
    case "MASQUERADE": return .masquerade(randomFully: words.take("--random-fully"))
    default:
      guard userChains.contains(name) else { throw Problem("\(name) is neither a chain of the table nor understood") }
      return .jump(name)
    }
  }

  /// `10.42.0.5`, `10.42.0.5:80`, `fd00::5`, `[fd00::5]:80`
}
