public import NetpolModel

/// An nftables set or map whose keys combine several fields of a packet. A map assigns a mark or a verdict to each key.
///
/// iptables and ipset have no equivalent.
public struct KeyedSet: Hashable, Sendable {
  /// The type of one field of a key, by its nft name.
  public enum Field: String, Hashable, Sendable, CaseIterable {
    case mark
    /// An address of the set's family.
    case address = "addr"
    /// `meta l4proto`
    case transport = "inet_proto"
    /// A port of any transport.
    case port = "inet_service"

    /// The width of its values in bits.
    public func bitWidth(_ family: IPFamily) -> Int {
      switch self {
      case .mark: 32
      case .address: family.bitWidth
      case .transport: 8
      case .port: 16
      }
    }
  }

  /// What the elements assign to their keys.
  public enum Content: String, Hashable, Sendable, CaseIterable {
    /// Nothing: it is a set.
    case keys
    case marks = "mark"
    case verdicts = "verdict"
  }

  /// What a verdict map does with a packet.
  public enum Verdict: Hashable, Sendable {
    case drop
    /// As `Statement.goto`.
    case goto(ChainName)
  }

  public enum Value: Hashable, Sendable {
    case mark(UInt32)
    case verdict(Verdict)

    public var content: Content {
      switch self {
      case .mark: .marks
      case .verdict: .verdicts
      }
    }
  }

  public struct Element: Hashable, Sendable {
    /// One value for each field, as integers.
    public var key: [UInt128]
    /// With ranges: the highest value of the last field.
    public var through: UInt128?
    /// In a map: what it assigns to the key.
    public var value: Value?
    public var comment: String?

    public init(_ key: [UInt128], through: UInt128? = nil, _ value: Value? = nil, comment: String? = nil) {
      self.key = key
      self.through = through
      self.value = value
      self.comment = comment
    }

    public init(_ key: [UInt128], through: UInt128? = nil, mark: UInt32?) {
      self.init(key, through: through, mark.map { .mark($0) })
    }

    public var mark: UInt32? { if case .mark(let mark)? = value { mark } else { nil } }
    /// The chain that the verdict names.
    public var chain: ChainName? { if case .verdict(.goto(let chain))? = value { chain } else { nil } }
  }

  public var name: SetName
  public var family: IPFamily
  public var fields: [Field]
  /// Whether the last field of a key is a range of values (nft `flags interval`). Ranges with the same preceding fields
  /// don't overlap.
  public var hasRanges: Bool
  public var content: Content
  /// The number of elements that the kernel reserves space for, and the maximum that it accepts. `nil`: no limit.
  public var size: Int?
  /// No two elements have the same key.
  public var elements: [Element]
  public var comment: String?

  public var isMap: Bool { content != .keys }

  public init(
    name: SetName, family: IPFamily, fields: [Field], hasRanges: Bool = false, content: Content = .keys,
    size: Int? = nil, elements: [Element] = [], comment: String? = nil
  ) {
    self.name = name
    self.family = family
    self.fields = fields
    self.hasRanges = hasRanges
    self.content = content
    self.size = size
    self.elements = elements
    self.comment = comment
  }
}

extension KeyedSet.Element {
  /// Sorts by key. Ranges with the same preceding fields are sorted by their first value.
  public static func precedes(_ a: Self, _ b: Self) -> Bool { a.key.lexicographicallyPrecedes(b.key) }
}

/// A field of a packet that is part of a key.
public enum PacketField: Hashable, Sendable {
  /// The whole mark.
  case mark
  case address(Side)
  /// The number of the transport protocol.
  case transport
  /// The destination port of any transport.
  case port

  public var type: KeyedSet.Field {
    switch self {
    case .mark: .mark
    case .address: .address
    case .transport: .transport
    case .port: .port
    }
  }
}
