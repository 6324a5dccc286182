public import NetpolModel

/// An nftables set or map whose keys combine several fields of a packet. A map assigns a mark to each key.
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

  public struct Element: Hashable, Sendable {
    /// One value for each field, as integers.
    public var key: [UInt128]
    /// With ranges: the highest value of the last field.
    public var through: UInt128?
    /// In a map: the mark for the key.
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
  /// Whether the last field of a key is a range of values (nft `flags interval`). Ranges with the same preceding fields
  /// don't overlap.
  public var hasRanges: Bool
  public var isMap: Bool
  /// The number of elements that the kernel reserves space for, and the maximum that it accepts. `nil`: no limit.
  public var size: Int?
  /// No two elements have the same key.
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
