internal import NetpolModel
internal import OrderedCollections
public import RuleIR

/// What `ipset save` printed.
public struct IpsetDump: Hashable, Sendable {
  /// The sets of type `hash:ip` and `hash:net`. Sets and members are in the order of the text.
  public var sets: [NamedSet]
  /// The sets that RuleIR can't express. They are missing from `sets`.
  public var foreign: [ForeignSet]

  public init(sets: [NamedSet] = [], foreign: [ForeignSet] = []) {
    self.sets = sets
    self.foreign = foreign
  }
}

/// A set of another type, as the text that creates it.
public struct ForeignSet: Hashable, Sendable {
  public let name: SetName
  /// `hash:ip,port`, `list:set` …
  public let type: String
  /// From 1.
  public let line: Int
  public let text: String
  /// Why it was not read.
  public let problem: String
}

/// Reads what `ipset save` printed: sets of type `hash:ip` and `hash:net`, of both families.
///
/// Sizes, timeouts, counters and comments are ignored. Sets of other types, and sets that look addresses up under a
/// netmask, are in `foreign` without their members. A member that its set can't hold is an error.
public func readIpsetSave(_ text: String, file: String) throws(DumpError) -> IpsetDump {
  var reading = IpsetReading()
  for line in dumpLines(text) {
    do throws(Problem) {
      try reading.read(line.text, number: line.number)
    } catch {
      throw DumpError(file: file, line: line.number, text: String(line.text), problem: error.text)
    }
  }
  return reading.dump
}

private struct IpsetReading {
  private var sets: OrderedDictionary<SetName, NamedSet> = [:]
  private var foreign: OrderedDictionary<SetName, ForeignSet> = [:]

  var dump: IpsetDump { IpsetDump(sets: Array(sets.values), foreign: Array(foreign.values)) }

  mutating func read(_ line: Substring, number: Int) throws(Problem) {
    let head = line.split(separator: " ", maxSplits: 2)
    guard let command = head.first, head.count == 3 else { throw Problem("not a line of ipset save") }
    let name = String(head[1])
    switch command {
    case "create":
      guard sets[name] == nil, foreign[name] == nil else { throw Problem("set \(name) is created twice") }
      var words = try Words(head[2], escapes: false)
      let type = words.next() ?? ""
      guard let kind = NamedSet.Kind(rawValue: type), kind != .interval else {
        leave(name, type, number, line, "the type is not understood")
        return
      }
      let (family, mask) = try options(&words)
      if let mask {
        leave(name, type, number, line, "\(mask) is not understood")
        return
      }
      sets[name] = NamedSet(name: name, family: family, kind: kind)
    case "add":
      if foreign[name] != nil { return }
      guard let index = sets.index(forKey: name) else { throw Problem("set \(name) has not been created before") }
      var words = try Words(head[2], escapes: false)
      let member = try member(&words, sets.values[index].family, sets.values[index].kind)
      sets.values[index].members.append(member)
    default: throw Problem("not a line of ipset save")
    }
  }

  private mutating func leave(_ name: SetName, _ type: String, _ number: Int, _ line: Substring, _ problem: String) {
    foreign[name] = ForeignSet(name: name, type: type, line: number, text: String(line), problem: problem)
  }

  /// Returns the family, and the option that changes the meaning of the members.
  private func options(_ words: inout Words) throws(Problem) -> (IPFamily, mask: String?) {
    var family: IPFamily?
    var mask: String?
    while let option = words.next() {
      switch option {
      case "family":
        let text = try words.value(of: option)
        guard let known = (["inet": IPFamily.v4, "inet6": .v6])[text] else { throw Problem("\(text) is not a family") }
        family = known
      case "hashsize", "maxelem", "timeout", "bucketsize", "initval": _ = try words.value(of: option)
      case "counters", "comment", "skbinfo", "forceadd": break
      case "netmask", "bitmask":
        _ = try words.value(of: option)
        mask = option
      default: throw Problem("option \(option) is not understood")
      }
    }
    guard let family else { throw Problem("the set has no family") }
    return (family, mask)
  }

  private func member(
    _ words: inout Words, _ family: IPFamily, _ kind: NamedSet.Kind
  ) throws(Problem) -> NamedSet.Member {
    let text = try words.value(of: "add")
    guard let cidr = CIDR(text) ?? IPAddress(text).map({ CIDR($0) }) else {
      throw Problem("\(text) is not an address")
    }
    guard cidr.family == family else { throw Problem("\(text) is not \(family.rawValue)") }
    guard cidr.isHost || kind == .hashNet else { throw Problem("\(text) is a network in a set of addresses") }
    var member = NamedSet.Member(cidr)
    while let option = words.next() {
      switch option {
      case "timeout", "packets", "bytes", "comment", "skbmark", "skbprio", "skbqueue": _ = try words.value(of: option)
      case "nomatch" where kind == .hashNet: member.nomatch = true
      default: throw Problem("option \(option) is not understood")
      }
    }
    return member
  }
}
