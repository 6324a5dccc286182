internal import NetpolModel
internal import RuleIR

/// The fields and elements of a set or map whose keys are concatenated fields.
struct NftKeyedSetDraft {
  private let family: IPFamily
  let content: KeyedSet.Content
  let fields: [KeyedSet.Field]
  private(set) var elements: [KeyedSet.Element] = []

  /// `mark . ipv4_addr . inet_proto . inet_service`, followed by ` : mark` or ` : verdict` for a map. Other maps are not
  /// understood.
  init(type: String, isMap: Bool, family: IPFamily) throws(Problem) {
    self.family = family
    let parts = type.split(separator: " : ", omittingEmptySubsequences: false)
    let content = isMap ? parts.last.flatMap { KeyedSet.Content(rawValue: String($0)) } : .keys
    guard parts.count == (isMap ? 2 : 1), let content, !isMap || content != .keys else {
      throw Problem("type \(type) is not understood")
    }
    self.content = content
    let address = family == .v4 ? "ipv4_addr" : "ipv6_addr"
    var fields: [KeyedSet.Field] = []
    for name in parts[0].split(separator: " . ", omittingEmptySubsequences: false) {
      guard let field = name == address ? .address : KeyedSet.Field(rawValue: String(name)), name != "addr" else {
        throw Problem("type \(name) is not understood in a table of \(family.rawValue)")
      }
      fields.append(field)
    }
    self.fields = fields
  }

  mutating func add(_ text: String, hasRanges: Bool, comment: String?) throws(Problem) {
    let parts = text.split(separator: " : ", omittingEmptySubsequences: false)
    guard parts.count == (content == .keys ? 1 : 2) else { throw Problem("\(text) is not an element of this set") }
    let values = parts[0].split(separator: " . ", omittingEmptySubsequences: false)
    guard values.count == fields.count else { throw Problem("\(text) does not have the fields of this set") }
    var element = KeyedSet.Element([])
    for (index, (field, value)) in zip(fields, values).enumerated() {
      let ends = try ends(String(value), field)
      guard ends.first == ends.last || hasRanges && index == fields.count - 1 else {
        throw Problem("\(value) is a range in a set without ranges, or before the last field")
      }
      element.key.append(ends.first)
      if hasRanges { element.through = ends.last }
    }
    switch content {
    case .keys: break
    case .marks:
      guard let mark = nftNumber(parts[1]) else { throw Problem("\(parts[1]) is not a mark") }
      element.value = .mark(mark)
    case .verdicts: element.value = .verdict(try verdict(parts[1]))
    }
    element.comment = comment
    elements.append(element)
  }

  private func verdict(_ text: Substring) throws(Problem) -> KeyedSet.Verdict {
    if text == "drop" { return .drop }
    guard text.hasPrefix("goto "), text.count > 5 else { throw Problem("\(text) as a verdict is not understood") }
    return .goto(String(text.dropFirst(5)))
  }

  private func ends(_ text: String, _ field: KeyedSet.Field) throws(Problem) -> (first: UInt128, last: UInt128) {
    if field == .address, let network = CIDR(text), network.family == family {
      return (network.firstAddress.bits, network.lastAddress.bits)
    }
    let values = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (1...2).contains(values.count), let first = values.first.flatMap({ value($0, field) }),
      let last = values.last.flatMap({ value($0, field) }), first <= last
    else { throw Problem("\(text) is not a value of type \(field.rawValue)") }
    return (first, last)
  }

  private func value(_ text: Substring, _ field: KeyedSet.Field) -> UInt128? {
    switch field {
    case .mark: nftNumber(text).map { UInt128($0) }
    case .address: IPAddress(String(text)).flatMap { $0.family == family ? $0.bits : nil }
    case .transport:
      Transport.allCases.first { $0.keyword == text }.map { UInt128($0.number) }
        ?? decimal(text, as: UInt8.self).map { UInt128($0) }
    case .port: decimal(text, as: UInt16.self).map { UInt128($0) }
    }
  }
}

/// Parses a packet field as nft writes it: `meta mark`, `ip saddr`, `meta l4proto`, `th dport`.
func nftPacketField(_ key: String, _ family: IPFamily) throws(Problem) -> PacketField {
  let ip = family == .v4 ? "ip" : "ip6"
  switch key {
  case "meta mark": return .mark
  case "\(ip) saddr": return .address(.source)
  case "\(ip) daddr": return .address(.destination)
  case "meta l4proto": return .transport
  case "th dport": return .port
  default: throw Problem("\(key) as a field of a key is not understood")
  }
}
