internal import CNftables
internal import Glibc

/// A transaction of nf_tables: it is applied as a whole or not at all. If a message is too long, `send` refuses it as
/// the kernel would.
public struct NftBatch: Sendable {
  /// Where a base chain is attached: its hook, priority and policy.
  public struct Base: Hashable, Sendable {
    /// `filter` or `nat`.
    public var type: String
    /// NF_INET_*.
    public var hook: UInt32
    public var priority: Int32
    public var drops: Bool
    public init(type: String, hook: UInt32, priority: Int32, drops: Bool) {
      self.type = type
      self.hook = hook
      self.priority = priority
      self.drops = drops
    }
  }

  /// Maximum elements per message. Even with the longest keys they fit into a message's element list, which holds 64
  /// KiB.
  public static let elementsInMessage = 500

  private var buffer = NetlinkBuffer()
  /// Messages between the begin and end markers. The message with index n (from 0) has sequence number n + 1.
  public private(set) var count = 0
  /// The first message that was too long, with its error.
  private(set) var failure: NftRefusal?
  var bytes: [UInt8] { buffer.bytes }
  /// Size in bytes of all messages and both markers.
  public var byteCount: Int { bytes.count + 20 }

  public init() { appendFrame(NFNL_MSG_BATCH_BEGIN) }

  /// Appends NFNL_MSG_BATCH_BEGIN or _END. They have no attributes, so nothing can be too long.
  mutating func appendFrame(_ type: Int32) {
    try? buffer.appendMessage(
      type: UInt16(type), flags: UInt16(NLM_F_REQUEST), sequence: type == NFNL_MSG_BATCH_BEGIN ? 0 : UInt32(count + 1),
      nfgenmsg(
        nfgen_family: UInt8(AF_UNSPEC), version: UInt8(NFNETLINK_V0), res_id: UInt16(NFNL_SUBSYS_NFTABLES).bigEndian)
    ) { _ in }
  }

  mutating func append(
    _ message: nf_tables_msg_types, _ family: AddressFamily, flags: Int32, _ body: (inout NetlinkBuffer) -> Void
  ) {
    count += 1
    do throws(KernelError) {
      try buffer.appendMessage(
        type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | number(message), flags: UInt16(NLM_F_REQUEST | flags),
        sequence: UInt32(count), nfgenmsg(nfgen_family: family.number, version: UInt8(NFNETLINK_V0), res_id: 0), body)
    } catch {
      fail(error)
    }
  }

  /// Appends a message that libnftnl writes. libnftnl doesn't check the size of the buffer, so `bound` is the maximum
  /// size of the message's strings and expressions. It doesn't check attribute lengths (16 bits) either, but no
  /// attribute is too long in a message that isn't.
  mutating func append(
    _ message: nf_tables_msg_types, _ family: AddressFamily, flags: Int32 = 0, bound: Int,
    _ build: (UnsafeMutablePointer<nlmsghdr>) -> Void
  ) {
    count += 1
    let sequence = UInt32(count)
    guard bound <= Int(UInt16.max) else { return fail(Self.tooLong(bound)) }
    withUnsafeTemporaryAllocation(byteCount: 1024 + bound, alignment: 16) { room in
      room.initializeMemory(as: UInt8.self, repeating: 0)
      guard let start = room.baseAddress?.assumingMemoryBound(to: CChar.self),
        let header = nftnl_nlmsg_build_hdr(
          start, number(message), UInt16(family.number), UInt16(NLM_F_CREATE | flags), sequence)
      else { return fail(Self.tooLong(room.count)) }
      build(header)
      let length = (Int(header.pointee.nlmsg_len) + 3) & ~3
      guard length <= min(room.count, Int(UInt16.max)) else { return fail(Self.tooLong(length)) }
      buffer.appendWhole(room[..<length])
    }
  }

  private mutating func fail(_ error: KernelError) {
    failure = failure ?? NftRefusal(message: count - 1, error: error)
  }

  private static func tooLong(_ bytes: Int) -> KernelError {
    KernelError("nf_tables message", code: EMSGSIZE, message: "it takes \(bytes) bytes; the maximum is \(UInt16.max)")
  }

  /// A comment as nft stores it (libnftnl/udata.h): type, length, text with its terminating zero. Cut at 128 bytes.
  static func userData(_ type: UInt32, _ comment: String) -> [UInt8] {
    let text = Array(comment.utf8.prefix(Int(NFTNL_UDATA_COMMENT_MAXLEN))) + [0]
    return [UInt8(truncatingIfNeeded: type), UInt8(text.count)] + text
  }
}
