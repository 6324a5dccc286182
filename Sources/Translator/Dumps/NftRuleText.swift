internal import NetpolModel
internal import RuleIR

/// Reads one rule, as nft lists it, from left to right.
struct NftRuleText {
  private var words: NftWords
  private var draft: NftRuleDraft
  private var comment: String?

  init(_ line: Substring, family: IPFamily) throws(Problem) {
    words = try NftWords(line)
    draft = NftRuleDraft(family: family)
  }

  mutating func read() throws(Problem) -> Rule {
    while let word = try words.next() {
      switch word {
      case "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmpv6", "ct":
        try compare("\(word) \(try words.value(of: word))")
      case "meta": try readMeta()
      case "fib": try readFib()
      case "limit": try readLimit()
      case "counter": try readCounter()
      case "log": try readLog()
      case "reject": try readReject()
      case "jump": try draft.add(.jump(try words.value(of: word)))
      case "goto": try draft.add(.goto(try words.value(of: word)))
      case "numgen":
        let mod = try numgen()
        try words.expect("vmap")
        try draft.addRandomGoto(try choices(separator: " "), mod: mod)
      case "return": try draft.add(.return)
      case "accept": try draft.add(.accept)
      case "drop": try draft.add(.drop)
      case "dnat": try readDNAT()
      case "masquerade": try draft.add(.masquerade(randomFully: words.take("fully-random")))
      case "comment":
        comment = try words.quoted(of: word)
        try words.checkEnd()
      default: throw Problem("\(word) is not understood")
      }
    }
    return draft.finished(comment: comment)
  }

  private mutating func compare(_ key: String, mask: UInt32? = nil) throws(Problem) {
    if mask == nil, words.peek == "." || words.peek == "vmap" {
      let fields = try restOfKey(after: key)
      if words.take("vmap") { return try draft.add(.verdictFrom(fields, map: try setName())) }
      return try draft.add(.keyed(fields, in: try setName()))
    }
    let negated = words.take("!=")
    if !negated { _ = words.take("==") }
    try draft.compare(key, mask: mask, negated: negated, try operand(of: key))
  }

  /// `dnat to 10.0.0.5:80`, `dnat ip to numgen …`. Newer versions list `dnat ip addr . port to`.
  private mutating func readDNAT() throws(Problem) {
    let hasFamily = words.take(draft.family == .v4 ? "ip" : "ip6")
    if hasFamily, words.take("addr") {
      try words.expect(".")
      try words.expect("port")
    }
    try words.expect("to")
    guard hasFamily, words.take("numgen") else { return try draft.addDNAT(to: try words.value(of: "dnat to")) }
    let mod = try numgen()
    try words.expect("map")
    try draft.addRandomDNAT(try choices(separator: " . "), mod: mod)
  }

  /// The modulus of `random mod 3`.
  private mutating func numgen() throws(Problem) -> String {
    try words.expect("random")
    try words.expect("mod")
    return try words.value(of: "numgen random mod")
  }

  /// `{ 0 : goto a, 1 : goto b }`, `{ 0 : 10.0.0.1 . 80 }`
  private mutating func choices(separator: String) throws(Problem) -> [(number: String, value: String)] {
    var choices: [(number: String, value: String)] = []
    try words.expect("{")
    repeat {
      let number = try words.value(of: "numgen")
      try words.expect(":")
      var values = [try words.value(of: "numgen")]
      while let word = words.peek, word != ",", word != "}" {
        _ = words.take(word)
        if word != "." { values.append(word) }
      }
      choices.append((number, values.joined(separator: separator)))
    } while words.take(",")
    try words.expect("}")
    return choices
  }

  private mutating func operand(of key: String) throws(Problem) -> NftOperand {
    let isSet = words.take("{")
    var values = [try words.value(of: key)]
    while words.take(",") { values.append(try words.value(of: key)) }
    if isSet {
      try words.expect("}")
      return .set(values)
    }
    return values.count == 1 ? .one(values[0]) : .flags(values)
  }

  private mutating func readMeta() throws(Problem) {
    let key = "meta \(try words.value(of: "meta"))"
    if words.take("set") {
      guard key == "meta mark" else { throw Problem("\(key) set is not understood") }
      // Only a map lookup has several fields, or a field that is not the mark.
      var ahead = words
      if let first = try? ahead.field(), first != "meta mark" || ahead.peek == "." || ahead.peek == "map" {
        words = ahead
        let fields = try restOfKey(after: first)
        try words.expect("map")
        return try draft.add(.setMarkFrom(fields, map: try setName()))
      }
      try draft.addSetMark(try markBits())
    } else if words.take("&") || words.take("and") {
      try compare(key, mask: try number(of: key))
    } else {
      try compare(key)
    }
  }

  /// ` . ip saddr . th dport` after a first field.
  private mutating func restOfKey(after first: String) throws(Problem) -> [PacketField] {
    var fields = [try nftPacketField(first, draft.family)]
    while words.take(".") { fields.append(try nftPacketField(try words.field(), draft.family)) }
    return fields
  }

  private mutating func setName() throws(Problem) -> SetName {
    let name = try words.value(of: "key")
    guard name.utf8.first == UInt8(ascii: "@") else { throw Problem("\(name) is not the name of a set") }
    return String(Substring(name.utf8.dropFirst()))
  }

  private mutating func number(of key: String) throws(Problem) -> UInt32 {
    let text = try words.value(of: key)
    guard let number = nftNumber(text) else { throw Problem("\(text) is not a number") }
    return number
  }

  /// Reads a number, or the mark and operations of ever lower precedence. In a rule of iptables nft prints `mark`, not
  /// `meta mark`.
  private mutating func markBits() throws(Problem) -> MarkBits {
    let isMeta = words.take("meta")
    if !words.take("mark") {
      if isMeta { throw Problem("meta \(words.shown) is not understood") }
      return MarkBits(kept: 0, flipped: try number(of: "meta mark set"))
    }
    var bits = MarkBits.unchanged
    var last = Int.max
    while let name = words.peek, let precedence = MarkBits.precedence(name) {
      guard precedence <= last else { throw Problem("\(name) is not understood here") }
      _ = words.take(name)
      try bits.apply(name, try number(of: name))
      last = precedence
    }
    return bits
  }

  private mutating func readFib() throws(Problem) {
    var key = "fib"
    while true {
      let word = try words.value(of: key)
      key += " \(word)"
      if ["type", "oif", "oifname", "check"].contains(word) { break }
    }
    try compare(key)
  }

  private mutating func readLimit() throws(Problem) {
    try words.expect("rate")
    if words.take("over") { throw Problem("limit rate over is not understood") }
    let text = try words.value(of: "limit rate")
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw Problem("\(text) is not a limit that is understood") }
    var burst: String?
    if words.take("burst") {
      burst = try words.value(of: "burst")
      try words.expect("packets")
    }
    try draft.addLimit(rate: String(parts[0]), per: String(parts[1]), burst: burst)
  }

  private mutating func readCounter() throws(Problem) {
    if words.take("packets") {
      try words.skipCounts()
    } else if words.take("name") {
      throw Problem("counter name is not understood")
    }
    try draft.add(.counter)
  }

  private mutating func readLog() throws(Problem) {
    var group: String?
    var prefix: String?
    while let option = words.peek {
      switch option {
      case "prefix" where prefix == nil:
        _ = words.take(option)
        prefix = try words.quoted(of: "log prefix")
        continue
      case "group" where group == nil:
        _ = words.take(option)
        group = try words.value(of: "log group")
        continue
      default: break
      }
      break
    }
    try draft.addLog(group: group, prefix: prefix)
  }

  private mutating func readReject() throws(Problem) {
    guard words.take("with") else { return try draft.addReject(type: nil, code: nil) }
    let type = try words.value(of: "reject with")
    if type == "tcp" {
      try words.expect("reset")
      return try draft.addReject(type: "tcp reset", code: nil)
    }
    _ = words.take("type")
    try draft.addReject(type: type, code: try words.value(of: "reject with \(type)"))
  }
}

extension NftWords {
  /// Two words: `ip saddr`.
  fileprivate mutating func field() throws(Problem) -> String {
    let word = try value(of: "key")
    guard ["meta", "ip", "ip6", "th"].contains(word) else { throw Problem("\(word) is not understood") }
    return "\(word) \(try value(of: word))"
  }

  /// The rest of `packets 5 bytes 300`.
  mutating func skipCounts() throws(Problem) {
    let packets = try value(of: "packets")
    try expect("bytes")
    let bytes = try value(of: "bytes")
    guard decimal(packets, as: UInt64.self) != nil, decimal(bytes, as: UInt64.self) != nil else {
      throw Problem("\(packets) packets, \(bytes) bytes is not a count")
    }
  }
}
