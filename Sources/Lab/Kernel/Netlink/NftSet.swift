internal import CNftables

/// A set or map of an nf_tables table.
public struct NftSet: Hashable, Sendable {
  /// nft's own numbers for its data types. The kernel stores them without using them.
  public enum Field: UInt32, Hashable, Sendable {
    case integer = 4
    case ipv4 = 7
    case ipv6 = 8
    case transport = 12
    case port = 13
    case mark = 19

    /// Length in bytes.
    public var length: Int {
      switch self {
      case .integer, .ipv4, .mark: 4
      case .ipv6: 16
      case .transport: 1
      case .port: 2
      }
    }
    /// Length in bytes rounded up to whole 32-bit words, as fields are laid out in a concatenated key.
    public var paddedLength: Int { (length + 3) & ~3 }
  }

  /// What each key of a map has.
  public enum Data: Hashable, Sendable {
    case fields([Field])
    case verdict

    /// One field.
    public static let mark = Data.fields([.mark])

    /// nft's number of the type. Of several fields, six bits each.
    var type: UInt32 {
      switch self {
      case .fields(let fields): fields.typeNumber
      case .verdict: UInt32(bitPattern: Int32(truncatingIfNeeded: NFT_DATA_VERDICT.rawValue))
      }
    }
  }

  /// The set's name; `__set%d` for an anonymous set, `__map%d` for an anonymous map, which the kernel names.
  public var name: String
  /// The fields of a key. With more than one, keys are concatenations.
  public var fields: [Field]
  /// The ID by which messages of the same batch refer to the set.
  public var id: UInt32
  public var isInterval: Bool
  /// `nil` for a set.
  public var data: Data?
  public var comment: String?
  /// Maximum number of elements; `nil` for no limit.
  public var size: Int?
  /// Whether the set belongs to a single rule: it never changes, and the kernel names it.
  public var isAnonymous: Bool

  public init(
    _ name: String, _ fields: [Field], id: UInt32, isInterval: Bool = false, data: Data? = nil,
    comment: String? = nil, size: Int? = nil, isAnonymous: Bool = false
  ) {
    self.name = name
    self.fields = fields
    self.id = id
    self.isInterval = isInterval
    self.data = data
    self.comment = comment
    self.size = size
    self.isAnonymous = isAnonymous
  }

  var isConcatenation: Bool { fields.count > 1 }

  /// Length of a key in bytes.
  var keyLength: Int { fields.length }

  var keyType: UInt32 { fields.typeNumber }

  /// An interval set over several fields must declare its fields (NFT_SET_CONCAT). A hash set doesn't.
  var flags: UInt32 {
    var flags: UInt32 = 0
    if isAnonymous { flags |= UInt32(number(NFT_SET_ANONYMOUS)) | UInt32(number(NFT_SET_CONSTANT)) }
    if isInterval { flags |= UInt32(number(NFT_SET_INTERVAL)) }
    if isInterval, isConcatenation { flags |= UInt32(number(NFT_SET_CONCAT)) }
    if data != nil { flags |= UInt32(number(NFT_SET_MAP)) }
    return flags
  }

  /// User data that nft stores for its own use (libnftnl/udata.h). In `enum byteorder`, 0 is none, 1 host order and 2
  /// network order.
  var userData: [UInt8] {
    let note = { (type: UInt32, value: UInt32) in
      [UInt8(truncatingIfNeeded: type), 4] + withUnsafeBytes(of: value) { Array($0) }
    }
    var notes = note(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue, isConcatenation ? 0 : fields == [.integer] ? 1 : 2)
    if let data { notes += note(NFTNL_UDATA_SET_DATABYTEORDER.rawValue, data == .mark ? 1 : 0) }
    if isConcatenation {
      // Says that the key is a concatenation (EXPR_CONCAT, 13), without further details.
      notes += [UInt8(NFTNL_UDATA_SET_KEY_TYPEOF.rawValue), 8] + note(0, 13) + [1, 0]
    }
    // NFTNL_UDATA_SET_DATA_INTERVAL
    if data != nil { notes += note(6, 0) }
    return notes
  }
}

extension [NftSet.Field] {
  /// Length in bytes of a value with these fields.
  var length: Int { count > 1 ? reduce(0) { $0 + $1.paddedLength } : first?.length ?? 0 }

  /// nft combines the type numbers of the fields, six bits each.
  var typeNumber: UInt32 { reduce(0) { $0 << 6 | $1.rawValue } }
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
  public var data: Data?
  public var comment: String?

  public enum Data: Hashable, Sendable {
    /// In host order.
    case mark(UInt32)
    case bytes([UInt8])
    case verdict(NftExpression.Verdict)
  }

  public init(
    _ key: [UInt8], isEnd: Bool = false, isOpen: Bool = false, lastKey: [UInt8]? = nil, _ data: Data? = nil,
    comment: String? = nil
  ) {
    self.key = key
    self.isEnd = isEnd
    self.isOpen = isOpen
    self.lastKey = lastKey
    self.data = data
    self.comment = comment
  }
}
