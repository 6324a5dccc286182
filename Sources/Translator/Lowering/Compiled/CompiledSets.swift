internal import NetpolModel
internal import RuleIR

extension AddressSegments.Segment {
  /// Whether all of its addresses are among these.
  fileprivate func isWithin(_ addresses: Set<UInt128>) -> Bool {
    last - first < UInt128(addresses.count) && (first...last).allSatisfy(addresses.contains)
  }
}

/// The sets of one table. Their names are short, because the kernel compares them one by one for each rule and element.
struct CompiledSets {
  /// Names of the sets of one direction. They begin with its first letter.
  struct Names {
    /// Maps a pod to its group.
    let groups: SetName
    /// Allowed combinations of group, peer, transport and port.
    let peers: SetName
    /// Group and peer, where everything is allowed. Only groups with odd numbers have any.
    let open: SetName
    /// Maps group and peer to a number for the allowed ports, if these contain port ranges.
    let wide: SetName
    /// The same for address blocks.
    let blocks: SetName

    init(_ direction: Direction) {
      let letter = direction == .ingress ? "i" : "e"
      groups = letter + "g"
      // "ip" is a keyword of nft.
      peers = letter + "a"
      open = letter + "o"
      wide = letter + "w"
      blocks = letter + "b"
    }
  }

  /// Ports that a group allows for every peer, and ports of the numbers that `wide` and `blocks` return.
  static let ports = "p"
  /// The same for port ranges.
  static let ranges = "r"
  /// Source, destination and port that all policies on the node admit.
  static let pairs = "f"
  /// Isolated pods: each address paired with itself.
  static let selves = "s"
  /// All local pods. With default-deny, every other address in the node's pod CIDRs is rejected.
  static let known = "k"

  let family: IPFamily
  private var numbers = MarkNumbers()
  private var elements: [SetName: [KeyedSet.Element]] = [:]
  private var isolated: Set<IPAddress> = []
  /// Numbers, other than those of groups, whose ports have been written.
  private var written: Set<UInt32> = [MarkNumbers.everything]

  init(_ family: IPFamily) { self.family = family }

  /// `listingPeers`: whether its peers' single ports are not among the admitted pairs.
  mutating func add(_ group: PolicyGroup, _ admissions: Admissions, listingPeers: Bool) {
    // Policies that allow everything isolate no pods.
    if admissions.everyone.isEverything { return }
    let names = Names(group.direction)
    // Includes the ports allowed for every peer and for the peer's block, because later rules don't look those up any
    // more.
    var wide: [IPAddress: PortSet] = [:]
    for (address, ports) in admissions.pods where ports.hasRanges {
      wide[address] = ports.union(admissions.everyone).union(admissions.blocks.ports(of: address))
    }
    let number = numbers.number(of: group.text, isOdd: group.hasOpenPeers)
    for pod in group.pods {
      for address in pod.podIPs where address.family == family {
        put(names.groups, [address.bits], mark: number)
        isolated.insert(address)
      }
    }
    putPorts(admissions.everyone, number)
    for (address, all) in wide.sorted(by: { $0.key < $1.key }) {
      let key = [UInt128(number), address.bits]
      if group.hasOpenPeers, all.isEverything {
        put(names.open, key)
      } else {
        put(names.wide, key, mark: numberOf(all))
      }
    }
    if listingPeers {
      for (address, ports) in admissions.singlePorts.sorted(by: { $0.peer < $1.peer }) {
        for port in ports {
          put(names.peers, [UInt128(number), address.bits, UInt128(port.transport.number), UInt128(port.port)])
        }
      }
    }
    // A packet of these peers has another mark when blocks are looked up.
    let answered = Set(wide.keys.map(\.bits))
    for segment in admissions.blocks.segments where !segment.isWithin(answered) {
      put(
        names.blocks, [UInt128(number), segment.first], through: segment.last,
        mark: numberOf(segment.ports.union(admissions.everyone)))
    }
  }

  mutating func add(_ pairs: AdmittedPairs) { elements[Self.pairs] = pairs.elements }

  private mutating func numberOf(_ ports: PortSet) -> UInt32 {
    let number = ports.isEverything ? MarkNumbers.everything : numbers.number(of: ports.text, isOdd: false)
    if written.insert(number).inserted { putPorts(ports, number) }
    return number
  }

  private mutating func putPorts(_ ports: PortSet, _ number: UInt32) {
    for port in ports.single {
      put(Self.ports, [UInt128(number), UInt128(port.transport.number), UInt128(port.port)])
    }
    for ports in ports.ranges {
      put(
        Self.ranges, [UInt128(number), UInt128(ports.transport.number), UInt128(ports.range.first)],
        through: UInt128(ports.range.last))
    }
  }

  private mutating func put(_ set: SetName, _ key: [UInt128], through: UInt128? = nil, mark: UInt32? = nil) {
    elements[set, default: []].append(KeyedSet.Element(key, through: through, mark: mark))
  }

  /// All sets, including empty ones, because the rules never change.
  var all: [KeyedSet] {
    let ofDirections = Direction.allCases.map(Names.init).flatMap { names in
      [
        set(names.groups, [.address], content: .marks), set(names.peers, [.mark, .address, .transport, .port]),
        set(names.open, [.mark, .address]), set(names.wide, [.mark, .address], content: .marks),
        set(names.blocks, [.mark, .address], hasRanges: true, content: .marks),
      ]
    }
    var selves = set(Self.selves, [.address, .address])
    selves.elements = isolated.sorted().map { KeyedSet.Element([$0.bits, $0.bits]) }
    selves.size = Self.room(selves.elements.count)
    return ofDirections + [
      set(Self.pairs, [.address, .address, .transport, .port]),
      set(Self.ports, [.mark, .transport, .port]), set(Self.ranges, [.mark, .transport, .port], hasRanges: true),
      selves,
    ]
  }

  private func set(
    _ name: SetName, _ fields: [KeyedSet.Field], hasRanges: Bool = false, content: KeyedSet.Content = .keys
  )
    -> KeyedSet
  {
    let elements = (elements[name] ?? []).sorted(by: KeyedSet.Element.precedes)
    return KeyedSet(
      name: name, family: family, fields: fields, hasRanges: hasRanges, content: content,
      size: hasRanges ? nil : Self.room(elements.count), elements: elements)
  }

  /// A power of two, at least twice the count. A table of known size is never rehashed, and small changes fit into it.
  private static func room(_ count: Int) -> Int {
    var size = 64
    while size < 2 * count { size *= 2 }
    return size
  }
}
