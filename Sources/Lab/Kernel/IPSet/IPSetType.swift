internal import CNftables

/// The type of a set: what it holds. The raw value is the type's name in ipset(8).
public enum IPSetType: String, Hashable, Sendable, CaseIterable {
  /// Addresses.
  case addresses = "hash:ip"
  /// Address blocks, some of which may be exceptions (`nomatch`).
  case blocks = "hash:net"

  /// The newest revision that this module supports, from net/netfilter/ipset/ip_set_hash_ip.c and _net.c.
  ///
  /// The kernel reports bucketsize and initval only for sets of a type's newest revision. If the kernel has a newer
  /// revision than this number, no set reports them.
  var revision: UInt8 {
    switch self {
    case .addresses: 6
    case .blocks: 7
    }
  }

  /// The first revision for which the kernel accepts IPSET_ATTR_BUCKETSIZE.
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
  /// Default timeout of entries in seconds. With 0, entries stay unless they have their own timeout. With `nil`,
  /// entries can't have a timeout.
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
  /// The prefix length of a block; `nil` in sets of addresses.
  public var prefix: UInt8?
  /// Marks an exception: a lookup that hits this entry counts as no match (IPSET_FLAG_NOMATCH).
  public var nomatch: Bool
  /// Seconds; 0 means no expiry; `nil` means the set's default.
  public var timeout: UInt32?

  public init(_ address: [UInt8], prefix: UInt8? = nil, nomatch: Bool = false, timeout: UInt32? = nil) {
    self.address = address
    self.prefix = prefix
    self.nomatch = nomatch
    self.timeout = timeout
  }
}

extension IPSetEntry: CustomStringConvertible {
  /// The element as `ipset save` prints it. A block with a single address has no prefix.
  public var description: String {
    var text = addressText(address)
    if let prefix, Int(prefix) != address.count * 8 { text += "/\(prefix)" }
    if let timeout { text += " timeout \(timeout)" }
    return nomatch ? text + " nomatch" : text
  }
}

// Attributes IPSET_ATTR_* of one element, linux/netfilter/ipset/ip_set.h; numbers are in network order.
extension IPSetEntry {
  /// Maximum bytes that `put` writes: the nest, the nested IPv6 address, and four numbers of 8 bytes each.
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
      // The only number in host order: the kernel just returns it.
      $0.put(number(IPSET_ATTR_LINENO), line)
    }
  }

  /// `nil` if the attributes contain no address.
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
