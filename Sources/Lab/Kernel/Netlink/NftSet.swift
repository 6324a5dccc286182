internal import CNftables

/// A set or map of an nf_tables table.
public struct NftSet: Hashable, Sendable {
  /// nft's own numbers of its data types; the kernel only keeps them.
  public enum Field: UInt32, Hashable, Sendable {
    case ipv4 = 7
    case ipv6 = 8
    case transport = 12
    case port = 13
    case mark = 19

    /// In bytes.
    public var length: Int {
      switch self {
      case .ipv4, .mark: 4
      case .ipv6: 16
      case .transport: 1
      case .port: 2
      }
    }
    /// In whole words, as fields lie in a key that joins several.
    public var paddedLength: Int { (length + 3) & ~3 }
  }

  /// `__set%d` for a set of one rule, which the kernel names.
  public var name: String
  /// A key joins one value of each.
  public var fields: [Field]
  /// By which messages of the same batch refer to the set.
  public var id: UInt32
  public var isInterval: Bool
  /// Each key stands for a mark.
  public var isMap: Bool
  public var comment: String?
  /// How many elements it may have; nil: as many as come.
  public var size: Int?
  /// Of one rule: it never changes, and the kernel names it.
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

  /// Of a key, in bytes.
  var keyLength: Int { isConcatenation ? fields.reduce(0) { $0 + $1.paddedLength } : fields.first?.length ?? 0 }

  /// nft joins its numbers of types in six bits each.
  var keyType: UInt32 { fields.reduce(0) { $0 << 6 | $1.rawValue } }

  /// Tables of ranges over several fields want to know the fields; hash tables are told of none.
  var flags: UInt32 {
    var flags: UInt32 = 0
    if isAnonymous { flags |= UInt32(number(NFT_SET_ANONYMOUS)) | UInt32(number(NFT_SET_CONSTANT)) }
    if isInterval { flags |= UInt32(number(NFT_SET_INTERVAL)) }
    if isInterval, isConcatenation { flags |= UInt32(number(NFT_SET_CONCAT)) }
    if isMap { flags |= UInt32(number(NFT_SET_MAP)) }
    return flags
  }

  /// What nft notes for itself (libnftnl/udata.h; `enum byteorder` has 0 for none, 1 for the host's, 2 for the network's).
  var userData: [UInt8] {
    let note = { (type: UInt32, value: UInt32) in
      [UInt8(truncatingIfNeeded: type), 4] + withUnsafeBytes(of: value) { Array($0) }
    }
    var data = note(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue, isConcatenation ? 0 : 2)
    if isMap { data += note(NFTNL_UDATA_SET_DATABYTEORDER.rawValue, 1) }
    if isConcatenation {
      // That the key is a concatenation (EXPR_CONCAT, 13), with nothing more about it.
      data += [UInt8(NFTNL_UDATA_SET_KEY_TYPEOF.rawValue), 8] + note(0, 13) + [1, 0]
    }
    // NFTNL_UDATA_SET_DATA_INTERVAL
    if isMap { data += note(6, 0) }
    return data
  }
}

/// A key of a set, its fields in whole words. In an interval set of one field an element starts a range, and an end mark
/// follows the last key; with several fields it has its last key.
public struct NftElement: Hashable, Sendable {
  public var key: [UInt8]
  public var isEnd: Bool
  /// The range reaches to the last key that there is: no end mark can follow.
  public var isOpen: Bool
  /// With ranges over several fields.
  public var lastKey: [UInt8]?
  /// Of a map.
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
