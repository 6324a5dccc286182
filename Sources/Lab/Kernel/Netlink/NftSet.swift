internal import CNftables

/// A set or map of an nf_tables table.
public struct NftSet: Hashable, Sendable {
  /// nft's own numbers for its data types. The kernel stores them without using them.
  public enum Field: UInt32, Hashable, Sendable {
    case ipv4 = 7
    case ipv6 = 8
    case transport = 12
    case port = 13
    case mark = 19

    /// Length in bytes.
    public var length: Int {
      switch self {
      case .ipv4, .mark: 4
      case .ipv6: 16
      case .transport: 1
      case .port: 2
      }
    }
    /// Length in bytes rounded up to whole 32-bit words, as fields are laid out in a concatenated key.
    public var paddedLength: Int { (length + 3) & ~3 }
  }

  /// The set's name; `__set%d` for an anonymous set, which the kernel names.
  public var name: String
  /// The fields of a key. With more than one, keys are concatenations.
  public var fields: [Field]
  /// The ID by which messages of the same batch refer to the set.
  public var id: UInt32
  public var isInterval: Bool
  /// Whether each key has a mark as its value.
  public var isMap: Bool
  public var comment: String?
  /// Maximum number of elements; `nil` for no limit.
  public var size: Int?
  /// Whether the set belongs to a single rule: it never changes, and the kernel names it.
  public var isAnonymous: Bool

  public init(
    _ name: String, _ fields: [Field], id: UInt32, isInterval: Bool = false, isMap: Bool = false,
    comment: String? = nil, size: Int? = nil, isAnonymous: Bool = false
  ) {
    self.name = name
    self.fields = fields
    self.id = id
    self.isInterval = isInterval
    self.isMap = isMap
    self.comment = comment
    self.size = size
    self.isAnonymous = isAnonymous
  }

  var isConcatenation: Bool { fields.count > 1 }

  /// Length of a key in bytes.
  var keyLength: Int { isConcatenation ? fields.reduce(0) { $0 + $1.paddedLength } : fields.first?.length ?? 0 }

  /// nft combines the type numbers of the fields, six bits each.
  var keyType: UInt32 { fields.reduce(0) { $0 << 6 | $1.rawValue } }

  /// An interval set over several fields must declare its fields (NFT_SET_CONCAT). A hash set doesn't.
  var flags: UInt32 {
    var flags: UInt32 = 0
    if isAnonymous { flags |= UInt32(number(NFT_SET_ANONYMOUS)) | UInt32(number(NFT_SET_CONSTANT)) }
    if isInterval { flags |= UInt32(number(NFT_SET_INTERVAL)) }
    if isInterval, isConcatenation { flags |= UInt32(number(NFT_SET_CONCAT)) }
    if isMap { flags |= UInt32(number(NFT_SET_MAP)) }
    return flags
  }

  /// User data that nft stores for its own use (libnftnl/udata.h). In `enum byteorder`, 0 is none, 1 host order and 2
  /// network order.
  var userData: [UInt8] {
    let note = { (type: UInt32, value: UInt32) in
      [UInt8(truncatingIfNeeded: type), 4] + withUnsafeBytes(of: value) { Array($0) }
    }
    var data = note(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue, isConcatenation ? 0 : 2)
    if isMap { data += note(NFTNL_UDATA_SET_DATABYTEORDER.rawValue, 1) }
    if isConcatenation {
      // Says that the key is a concatenation (EXPR_CONCAT, 13), without further details.
      data += [UInt8(NFTNL_UDATA_SET_KEY_TYPEOF.rawValue), 8] + note(0, 13) + [1, 0]
    }
    // NFTNL_UDATA_SET_DATA_INTERVAL
    if isMap { data += note(6, 0) }
    return data
  }
}

/// An element of a set: a key with its fields in whole words. In an interval set with one field, an element starts a
/// range and an end element follows the last key. With several fields, the element holds its last key itself.
public struct NftElement: Hashable, Sendable {
  public var key: [UInt8]
  public var isEnd: Bool
  /// Whether the range reaches the highest possible key, so that no end element can follow.
  public var isOpen: Bool
  /// The last key of a range over several fields.
  public var lastKey: [UInt8]?
  /// The value, in a map.
  public var mark: UInt32?

  public init(
    _ key: [UInt8], isEnd: Bool = false, isOpen: Bool = false, lastKey: [UInt8]? = nil, mark: UInt32? = nil
  ) {
    self.key = key
    self.isEnd = isEnd
    self.isOpen = isOpen
    self.lastKey = lastKey
    self.mark = mark
  }
}
