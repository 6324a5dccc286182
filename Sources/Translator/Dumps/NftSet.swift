internal import NetpolModel
internal import RuleIR

/// A named set or map.
enum NftSet {
  case addresses(NamedSet)
  case keyed(KeyedSet)
}

/// One named set or map of nft. The readers for text and JSON both fill it.
///
/// Ignored are the sizes and element comments of address sets, and timeouts and counters of all sets: the members are
/// those at the moment of the dump.
struct NftSetDraft {
  let name: SetName
  let family: IPFamily
  var comment: String?
  private let isMap: Bool
  private var hasType = false
  /// For a map, or for a set of concatenated fields.
  private var key: NftKeyedSetDraft?
  private var size: Int?
  private var kind = NamedSet.Kind.addresses
  private var members: [NamedSet.Member] = []

  init(_ name: SetName, family: IPFamily, isMap: Bool = false) {
    self.name = name
    self.family = family
    self.isMap = isMap
  }

  /// `ipv4_addr`, `mark . ipv4_addr : mark`, or the expression of a `typeof`.
  mutating func read(type: String) throws(Problem) {
    if isMap || type.contains(" . ") {
      key = try NftKeyedSetDraft(type: type, isMap: isMap, family: family)
      hasType = true
      return
    }
    let types = family == .v4 ? ["ipv4_addr", "ip saddr", "ip daddr"] : ["ipv6_addr", "ip6 saddr", "ip6 daddr"]
    guard types.contains(type) else { throw Problem("type \(type) is not understood in a table of \(family.rawValue)") }
    hasType = true
  }

  mutating func read(flag: String) throws(Problem) {
    switch flag {
    case "interval": kind = .interval
    case "constant", "timeout": break
    default: throw Problem("flag \(flag) of a set is not understood")
    }
  }

  mutating func read(size text: String) throws(Problem) {
    guard let number: UInt32 = decimal(text) else { throw Problem("\(text) is not a size") }
    size = Int(number)
  }

  /// An address, a network or a range. With concatenated fields `5 . 10.0.0.0/8`, in a map with ` : ` and a mark after
  /// it.
  mutating func add(_ text: String, comment: String? = nil) throws(Problem) {
    if key != nil {
      try key?.add(text, hasRanges: kind == .interval, comment: comment)
      return
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    if ends.count == 2 {
      let first = try cidr(String(ends[0]))
      let last = try cidr(String(ends[1]))
      guard first.isHost, last.isHost, first <= last else { throw Problem("\(text) is not a range") }
      guard kind == .interval else { throw Problem("\(text) is a range in a set of addresses") }
      members += CIDR.networks(from: first.network, through: last.network).map { NamedSet.Member($0) }
      return
    }
    let network = try cidr(text)
    guard network.isHost || kind == .interval else { throw Problem("\(text) is a network in a set of addresses") }
    members.append(NamedSet.Member(network))
  }

  private func cidr(_ text: String) throws(Problem) -> CIDR {
    guard let cidr = CIDR(text) ?? IPAddress(text).map({ CIDR($0) }) else {
      throw Problem("\(text) is not an address")
    }
    guard cidr.family == family else { throw Problem("\(text) is not \(family.rawValue)") }
    return cidr
  }

  func finished() throws(Problem) -> NftSet {
    guard hasType else { throw Problem("the set has no type") }
    if let key {
      return .keyed(
        KeyedSet(
          name: name, family: family, fields: key.fields, hasRanges: kind == .interval, content: key.content,
          size: size, elements: key.elements, comment: comment))
    }
    return .addresses(NamedSet(name: name, family: family, kind: kind, members: members, comment: comment))
  }
}

/// The body of a set as nft lists it.
struct NftSetText {
  private var draft: NftSetDraft
  private let place: Place
  private let lines: [NftLine]

  init(_ name: SetName, at place: Place, _ lines: [NftLine], family: IPFamily, isMap: Bool) {
    draft = NftSetDraft(name, family: family, isMap: isMap)
    self.place = place
    self.lines = lines
  }

  /// In every listing, flags come before elements.
  mutating func read() throws(Fault) -> NftSet {
    var isInElements = false
    for line in lines {
      do throws(Problem) {
        let words = try NftWords(line.text)
        isInElements = isInElements ? try readElements(words) : try readLine(words)
      } catch {
        throw Fault(problem: error, place: line.place)
      }
    }
    do throws(Problem) {
      if isInElements { throw Problem("the elements have no closing }") }
      return try draft.finished()
    } catch {
      throw Fault(problem: error, place: place)
    }
  }

  /// Returns whether elements continue on the next line.
  private mutating func readLine(_ line: NftWords) throws(Problem) -> Bool {
    var words = line
    let word = try words.value(of: "set")
    switch word {
    case "type", "typeof":
      var type = try words.value(of: word)
      while let next = try words.next() { type += " \(next)" }
      try draft.read(type: type)
    case "flags":
      repeat { try draft.read(flag: try words.value(of: word)) } while words.take(",")
    case "size": try draft.read(size: try words.value(of: word))
    case "timeout", "gc-interval", "policy": _ = try words.value(of: word)
    case "auto-merge": break
    case "counter": if words.take("packets") { try words.skipCounts() }
    case "comment": draft.comment = try words.quoted(of: word)
    case "elements":
      try words.expect("=")
      try words.expect("{")
      return try readElements(words)
    default: throw Problem("\(word) of a set is not understood")
    }
    try words.checkEnd()
    return false
  }

  /// Returns whether elements continue on the next line. They do if the line ends with `,`.
  private mutating func readElements(_ line: NftWords) throws(Problem) -> Bool {
    var words = line
    while !words.isAtEnd {
      if words.take("}") {
        try words.checkEnd()
        return false
      }
      var element = try words.value(of: "elements")
      var comment: String?
      while let option = words.peek, option != ",", option != "}" {
        _ = words.take(option)
        switch option {
        case ".": element += " . \(try words.value(of: "elements"))"
        case ":":
          element += " : \(try words.value(of: "elements"))"
          // A verdict has the name of its chain.
          if element.hasSuffix(" : goto") { element += " \(try words.value(of: "goto"))" }
        case "timeout", "expires": _ = try words.value(of: option)
        case "counter": if words.take("packets") { try words.skipCounts() }
        case "comment": comment = try words.quoted(of: option)
        default: throw Problem("\(option) of an element is not understood")
        }
      }
      try draft.add(element, comment: comment)
      if words.take(",") { continue }
      guard words.peek == "}" else { throw Problem("expected , or } but found \(words.shown)") }
    }
    return true
  }
}
