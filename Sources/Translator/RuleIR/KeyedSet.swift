public import NetpolModel

/// A set or map of nftables whose keys join fields of a packet; a map gives each key a mark.
///
/// iptables and ipset have nothing like it.
public struct KeyedSet: Hashable, Sendable {
  /// The type of one field of a key, by nft's names.
  public enum Field: String, Hashable, Sendable, CaseIterable {
    case mark
    /// Of the set's family.
    case address = "addr"
    /// `meta l4proto`
    case transport = "inet_proto"
    /// A port of any transport.
    case port = "inet_service"

    /// Width of its values in bits.
    public func bitWidth(_ family: IPFamily) -> Int {
      switch self {
      case .mark: 32
      case .address: family.bitWidth
      case .transport: 8
      case .port: 16
      }
    }
  }

  public struct Element: Hashable, Sendable {
    /// One value for each field, as integers.
    public var key: [UInt128]
    /// With ranges: the last value that the last field may have.
    public var through: UInt128?
    /// In a map: what the key stands for.
    public var mark: UInt32?

    public init(_ key: [UInt128], through: UInt128? = nil, mark: UInt32? = nil) {
      self.key = key
      self.through = through
      self.mark = mark
    }
  }

  public var name: SetName
  public var family: IPFamily
  public var fields: [Field]
  /// The last field of a key is a range of values; ranges with equal fields before don't overlap (nft `flags interval`).
  public var hasRanges: Bool
  public var isMap: Bool
  /// How many elements the kernel makes room for, and takes at most; nil: as many as come.
  public var size: Int?
  /// No two have one key.
  public var elements: [Element]

  public init(
    name: SetName, family: IPFamily, fields: [Field], hasRanges: Bool = false, isMap: Bool = false, size: Int? = nil,
    elements: [Element] = []
  ) {
    self.name = name
    self.family = family
    self.fields = fields
    self.hasRanges = hasRanges
    self.isMap = isMap
    self.size = size
    self.elements = elements
  }
}

extension KeyedSet.Element {
  /// By key; of one key, ranges in their order.
  public static func precedes(_ a: Self, _ b: Self) -> Bool { a.key.lexicographicallyPrecedes(b.key) }
}

/// A field of a packet that a key is made from.
public enum PacketField: Hashable, Sendable {
  /// The whole mark.
  case mark
  case address(Side)
  /// The number of the transport protocol.
  case transport
  /// The destination port, of whatever transport.
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
