internal import NetpolModel
internal import RuleIR

/// Reads a rule of `nft -j` from its `expr`.
func nftRule(_ object: JSONValue, family: IPFamily) throws(Problem) -> Rule {
  guard let expressions = object["expr"]?.array else { throw Problem("the rule has no expr") }
  var draft = NftRuleDraft(family: family)
  for (index, expression) in expressions.enumerated() {
    guard let (kind, value) = expression.single else { throw Problem("expression \(index + 1) is not one of nft") }
    do throws(Problem) {
      try draft.read(kind, value)
    } catch {
      throw Problem("expression \(index + 1), \(kind): \(error.text)")
    }
  }
  guard let comment = object["comment"] else { return draft.finished(comment: nil) }
  guard let text = comment.string else { throw Problem("the comment is not text") }
  return draft.finished(comment: text)
}

/// Returns the left side of a match as nft's text writes it: `ip saddr`, `meta mark`, `fib daddr type`.
func nftKey(_ value: JSONValue) throws(Problem) -> String {
  guard let (kind, fields) = value.single else { throw Problem("its left side is not understood") }
  switch kind {
  case "payload":
    guard let layer = fields["protocol"]?.string, let field = fields["field"]?.string else {
      throw Problem("raw payload is not understood")
    }
    return "\(layer) \(field)"
  case "meta": return "meta \(fields["key"]?.string ?? "")"
  case "ct":
    if fields["dir"] != nil { throw Problem("ct with a direction is not understood") }
    return "ct \(fields["key"]?.string ?? "")"
  case "fib":
    let flags = fields["flags"].map { $0.array?.compactMap(\.string) ?? [$0.string ?? ""] } ?? []
    return "fib \(flags.joined(separator: " . ")) \(fields["result"]?.string ?? "")"
  default: throw Problem("\(kind) is not understood")
  }
}

/// Returns a value as nft's text writes it: `80`, `10.0.0.0/8`, `80-90`.
func nftWord(_ value: JSONValue) throws(Problem) -> String {
  if let word = value.word { return word }
  switch value.single {
  case ("prefix", let prefix)?:
    guard let address = prefix["addr"]?.word, let length = prefix["len"]?.word else { throw Problem("not a prefix") }
    return "\(address)/\(length)"
  case ("range", let range)?:
    guard let ends = range.array, ends.count == 2, let first = ends[0].word, let last = ends[1].word else {
      throw Problem("not a range")
    }
    return "\(first)-\(last)"
  case (let kind, _)?: throw Problem("a value of kind \(kind) is not understood")
  case nil: throw Problem("a value is not understood")
  }
}

/// Returns what a map assigns as nft's text writes it: `0x3`, `drop`, `goto web`, `10.0.0.1 . 80`.
func nftMapValue(_ value: JSONValue) throws(Problem) -> String {
  if let values = value["concat"]?.array {
    var words: [String] = []
    for value in values { words.append(try nftWord(value)) }
    return words.joined(separator: " . ")
  }
  switch value.single {
  case ("goto", let target)?: return "goto \(target["target"]?.string ?? "")"
  case ("drop", _)?: return "drop"
  default: return try nftWord(value)
  }
}

extension NftRuleDraft {
  fileprivate mutating func read(_ kind: String, _ value: JSONValue) throws(Problem) {
    switch kind {
    case "match": try readMatch(value)
    case "limit":
      try checkFields(value, ["rate", "burst", "per"])
      guard let rate = value["rate"]?.word, let unit = value["per"]?.string else { throw Problem("it has no rate") }
      try addLimit(rate: rate, per: unit, burst: value["burst"]?.word)
    case "counter":
      // A string is the name of a named counter.
      guard value == .null || value["packets"] != nil else { throw Problem("named counters are not understood") }
      try add(.counter)
    case "mangle":
      guard let left = value["key"], let right = value["value"] else { throw Problem("it has no key or no value") }
      let key = try nftKey(left)
      guard key == "meta mark" else { throw Problem("\(key) is not understood") }
      if let map = right["map"] {
        guard let key = map["key"], let name = map["data"]?.string else { throw Problem("a map has no key or no name") }
        try add(.setMarkFrom(try fields(key), map: try setName(name)))
      } else {
        try addSetMark(try markBits(right))
      }
    case "log":
      try checkFields(value, ["prefix", "group"])
      try addLog(group: value["group"]?.word, prefix: value["prefix"]?.string)
    case "reject":
      try checkFields(value, ["type", "expr"])
      try addReject(type: value["type"]?.string, code: value["expr"]?.word)
    case "dnat":
      if let map = value["addr"]?["map"] {
        try checkFields(value, ["addr", "family"])
        return try addRandomDNAT(try choices(map), mod: try modulus(of: map))
      }
      try checkFields(value, ["addr", "port"])
      guard let text = value["addr"]?.word, let address = IPAddress(text) else { throw Problem("it has no address") }
      let port = value["port"]?.word
      try addDNAT(to: port.map { "\(family == .v4 ? text : "[\(address)]"):\($0)" } ?? text)
    case "masquerade":
      try checkFields(value, ["flags"])
      let flags = value["flags"].map { $0.array?.compactMap(\.string) ?? [$0.string ?? ""] } ?? []
      guard flags.isEmpty || flags == ["fully-random"] else { throw Problem("its flags are not understood") }
      try add(.masquerade(randomFully: !flags.isEmpty))
    case "jump":
      guard let target = value["target"]?.string else { throw Problem("it has no target") }
      try add(.jump(target))
    case "goto":
      guard let target = value["target"]?.string else { throw Problem("it has no target") }
      try add(.goto(target))
    case "vmap":
      guard let key = value["key"], let data = value["data"] else { throw Problem("it has no key or no data") }
      if key["numgen"] != nil { return try addRandomGoto(try choices(value), mod: try modulus(of: value)) }
      guard let name = data.string else { throw Problem("a verdict map without a name is not understood") }
      try add(.verdictFrom(try fields(key), map: try setName(name)))
    case "return": try add(.return)
    case "accept": try add(.accept)
    case "drop": try add(.drop)
    default: throw Problem("not understood")
    }
  }

  /// The modulus of a random number that is the key of a map.
  private func modulus(of map: JSONValue) throws(Problem) -> String {
    guard let number = map["key"]?["numgen"], number["mode"]?.string == "random", let mod = number["mod"]?.word,
      ["0", nil].contains(number["offset"]?.word)
    else { throw Problem("its key is not understood") }
    return mod
  }

  /// The pairs of an anonymous map.
  private func choices(_ map: JSONValue) throws(Problem) -> [(number: String, value: String)] {
    guard let pairs = map["data"]?["set"]?.array else { throw Problem("its map is not understood") }
    var choices: [(number: String, value: String)] = []
    for pair in pairs {
      guard let parts = pair.array, parts.count == 2, let number = parts[0].word else {
        throw Problem("its map is not understood")
      }
      choices.append((number, try nftMapValue(parts[1])))
    }
    return choices
  }

  private func checkFields(_ value: JSONValue, _ known: Set<String>) throws(Problem) {
    if value == .null { return }
    guard case .object(let fields) = value else { throw Problem("not understood") }
    if let key = fields.keys.sorted().first(where: { !known.contains($0) }) {
      throw Problem("\(key) is not understood")
    }
  }

  private mutating func readMatch(_ value: JSONValue) throws(Problem) {
    guard let left = value["left"], let right = value["right"], let sign = value["op"]?.string else {
      throw Problem("it has no left, right or op")
    }
    guard ["==", "!=", "in"].contains(sign) else { throw Problem("\(sign) is not understood") }
    if left["concat"] != nil {
      guard let name = right.string, sign != "!=" else { throw Problem("joined fields are not compared with a set") }
      return try add(.keyed(try fields(left), in: try setName(name)))
    }
    var key = left
    var mask: UInt32?
    if let operands = left["&"]?.array {
      guard operands.count == 2, let number = operands[1].word.flatMap({ nftNumber($0) }) else {
        throw Problem("a mask is not a number")
      }
      key = operands[0]
      mask = number
    }
    try compare(try nftKey(key), mask: mask, negated: sign == "!=", try operand(right))
  }

  /// The fields of a key: one, or several concatenated ones.
  private func fields(_ key: JSONValue) throws(Problem) -> [PacketField] {
    var fields: [PacketField] = []
    for field in key["concat"]?.array ?? [key] { fields.append(try nftPacketField(try nftKey(field), family)) }
    return fields
  }

  private func setName(_ text: String) throws(Problem) -> SetName {
    guard text.utf8.first == UInt8(ascii: "@") else { throw Problem("\(text) is not the name of a set") }
    return String(Substring(text.utf8.dropFirst()))
  }

  private func operand(_ value: JSONValue) throws(Problem) -> NftOperand {
    let values = value["set"]?.array ?? value.array
    guard let values else { return .one(try nftWord(value)) }
    var texts: [String] = []
    for element in values { texts.append(try nftWord(element)) }
    return value.array == nil ? .set(texts) : .flags(texts)
  }

  /// Reads a number, or operations on the mark with the first one innermost. A value is not nested deeper than its
  /// text.
  private func markBits(_ value: JSONValue) throws(Problem) -> MarkBits {
    if let word = value.word {
      guard let number = nftNumber(word) else { throw Problem("\(word) is not a number") }
      return MarkBits(kept: 0, flipped: number)
    }
    guard let (name, operands) = value.single, MarkBits.precedence(name) != nil, let values = operands.array,
      let first = values.first
    else {
      let key = try nftKey(value)
      guard key == "meta mark" else { throw Problem("\(key) is not understood") }
      return .unchanged
    }
    var bits = try markBits(first)
    for value in values.dropFirst() {
      guard let number = value.word.flatMap({ nftNumber($0) }) else { throw Problem("a mask is not a number") }
      try bits.apply(name, number)
    }
    return bits
  }
}
