internal import NetpolModel
public import RuleIR

/// The fields of a key, such as `meta mark . ip saddr . meta l4proto . th dport`.
func nftKeyText(_ fields: [PacketField], _ family: IPFamily) -> String {
  let ip = family.nft
  return fields.map { field in
    switch field {
    case .mark: "meta mark"
    case .address(.source): "\(ip) saddr"
    case .address(.destination): "\(ip) daddr"
    case .transport: "meta l4proto"
    case .port: "th dport"
    }
  }.joined(separator: " . ")
}

/// A keyed set with its elements sorted by key.
func nftKeyedSetText(_ set: KeyedSet) -> String {
  let types = set.fields.map { field in
    field == .address ? set.family.nftAddress : field.rawValue
  }
  var lines = [
    "\t\(set.isMap ? "map" : "set") \(set.name) {",
    "\t\ttype \(types.joined(separator: " . "))\(set.isMap ? " : \(set.content.rawValue)" : "")",
  ]
  if let size = set.size { lines.append("\t\tsize \(size)") }
  if set.hasRanges { lines.append("\t\tflags interval") }
  if let comment = set.comment { lines.append("\t\tcomment \(nftQuoted(comment))") }
  let elements = set.elements.sorted(by: KeyedSet.Element.precedes).map { nftElementText($0, of: set) }
  if !elements.isEmpty { lines.append("\t\telements = { \(elements.joined(separator: ", ")) }") }
  return lines.joined(separator: "\n") + "\n\t}\n"
}

/// An element as nft lists it: `tcp . 80-90`, `10.42.0.2 : 0x3`, `tcp . 80 comment "app/web" : goto web`.
public func nftElementText(_ element: KeyedSet.Element, of set: KeyedSet) -> String {
  let values = zip(set.fields, element.key).enumerated().map { index, pair in
    let (field, value) = pair
    let last = index == set.fields.count - 1 ? element.through ?? value : value
    return valueText(field, value, through: last, set.family)
  }
  let comment = element.comment.map { " comment \(nftQuoted($0))" } ?? ""
  return values.joined(separator: " . ") + comment + (element.value.map { " : \(valueText($0))" } ?? "")
}

private func valueText(_ value: KeyedSet.Value) -> String {
  switch value {
  case .mark(let mark): hex(mark)
  case .verdict(.drop): "drop"
  case .verdict(.goto(let chain)): "goto \(chain)"
  }
}

private func valueText(_ field: KeyedSet.Field, _ first: UInt128, through last: UInt128, _ family: IPFamily) -> String {
  switch field {
  case .mark: return hex(UInt32(truncatingIfNeeded: first))
  case .transport: return Transport.allCases.first { UInt128($0.number) == first }?.keyword ?? "\(first)"
  case .port: return first == last ? "\(first)" : "\(first)-\(last)"
  case .address:
    let start = IPAddress(family: family, bits: first)
    if first == last { return "\(start)" }
    // A range that is a prefix is listed as a prefix.
    let spanned = first ^ last
    let length = family.bitWidth - (128 - spanned.leadingZeroBitCount)
    let prefix = CIDR(start, prefixLength: length)
    let isPrefix = prefix.firstAddress.bits == first && prefix.lastAddress.bits == last
    return isPrefix ? "\(prefix)" : "\(start)-\(IPAddress(family: family, bits: last))"
  }
}
