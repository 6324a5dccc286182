internal import CNftables

/// What a set holds. The raw value is the type's name in ipset(8).
public enum IPSetType: String, Hashable, Sendable, CaseIterable {
  /// Addresses.
  case addresses = "hash:ip"
  /// Blocks of addresses, of which some may be exceptions (`nomatch`).
  case blocks = "hash:net"

  /// The newest revision that this module knows, of net/netfilter/ipset/ip_set_hash_ip.c and _net.c.
  ///
  /// Only a type's newest revision prints bucketsize and initval: with a newer kernel and an older number, no set does.
  var revision: UInt8 {
    switch self {
    case .addresses: 6
    case .blocks: 7
    }
  }

  /// From this revision on the kernel takes IPSET_ATTR_BUCKETSIZE.
  var bucketSizeRevision: UInt8 {
    switch self {
    case .addresses: 5
    case .blocks: 7
    }
  }
}

/// The size of a hash set and its default timeout: `create`'s options in ipset(8), with the kernel's defaults.
public struct IPSetOptions: Hashable, Sendable {
  public var hashSize: UInt32
  public var maxElements: UInt32
  public var bucketSize: UInt8
  /// Seconds until an entry goes; 0: entries stay unless they say otherwise; nil: entries can't have a timeout.
  public var timeout: UInt32?

  public init(hashSize: UInt32 = 1024, maxElements: UInt32 = 65_536, bucketSize: UInt8 = 12, timeout: UInt32? = 0) {
    self.hashSize = hashSize
    self.maxElements = maxElements
    self.bucketSize = bucketSize
    self.timeout = timeout
  }
}

/// One element of a set.
public struct IPSetEntry: Hashable, Sendable {
  /// 4 or 16 bytes in network order.
  public var address: [UInt8]
  /// The length of a block's prefix; nil in sets of addresses.
  public var prefix: UInt8?
  /// An exception: a lookup that finds this entry has not found the set (IPSET_FLAG_NOMATCH).
  public var nomatch: Bool
  /// Seconds; 0 for ever; nil the set's default.
  public var timeout: UInt32?

  public init(_ address: [UInt8], prefix: UInt8? = nil, nomatch: Bool = false, timeout: UInt32? = nil) {
    self.address = address
    self.prefix = prefix
    self.nomatch = nomatch
    self.timeout = timeout
  }
}

extension IPSetEntry: CustomStringConvertible {
  /// The element as `ipset save` prints it: a block of one address has no prefix.
  public var description: String {
    var text = addressText(address)
    if let prefix, Int(prefix) != address.count * 8 { text += "/\(prefix)" }
    if let timeout { text += " timeout \(timeout)" }
    return nomatch ? text + " nomatch" : text
  }
}

// Attributes IPSET_ATTR_* of one element, linux/netfilter/ipset/ip_set.h; numbers are in network order.
extension IPSetEntry {
  /// The most bytes that `put` writes: the nest, the nested IPv6 address, and four numbers of 8 bytes each.
  static let encodedSize = 4 + (4 + 4 + 16) + 8 * 4

  func put(into buffer: inout NetlinkBuffer, line: UInt32) {
    let family = AddressFamily.required(of: address)
    buffer.withNest(number(IPSET_ATTR_DATA)) {
      $0.withNest(number(IPSET_ATTR_IP)) {
        let type = family == .v4 ? number(IPSET_ATTR_IPADDR_IPV4) : number(IPSET_ATTR_IPADDR_IPV6)
        $0.put(type | UInt16(NLA_F_NET_BYTEORDER), address)
      }
      if let prefix { $0.put(number(IPSET_ATTR_CIDR), prefix) }
      if let timeout { $0.put(number(IPSET_ATTR_TIMEOUT), bigEndian: timeout) }
      if nomatch { $0.put(number(IPSET_ATTR_CADT_FLAGS), bigEndian: UInt32(IPSET_FLAG_NOMATCH.rawValue)) }
      // In host order, alone of all: the kernel only hands it back.
      $0.put(number(IPSET_ATTR_LINENO), line)
    }
  }

  /// nil when the attributes tell no address.
  init?(_ attributes: AttributeSequence) {
    guard let nest = attributes[number(IPSET_ATTR_IP)]?.nested,
      let address = nest[number(IPSET_ATTR_IPADDR_IPV4)] ?? nest[number(IPSET_ATTR_IPADDR_IPV6)]
    else { return nil }
    self.init(
      Array(address.payload), prefix: attributes[number(IPSET_ATTR_CIDR)]?.integer(),
      nomatch: (attributes[number(IPSET_ATTR_CADT_FLAGS)]?.bigEndian(UInt32.self) ?? 0)
        & UInt32(IPSET_FLAG_NOMATCH.rawValue) != 0,
      timeout: attributes[number(IPSET_ATTR_TIMEOUT)]?.bigEndian())
  }
}
