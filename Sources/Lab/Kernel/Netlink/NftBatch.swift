internal import CNftables
internal import Glibc

/// What the kernel refused in a batch.
public struct NftRefusal: Error, Hashable, Sendable {
  /// The message that it refused, counted from 0; nil where it refused the whole.
  public let message: Int?
  public let error: KernelError
}

/// A transaction of nf_tables: all of it is applied, or nothing.
public struct NftBatch: Sendable {
  /// Where a base chain hangs.
  public struct Base: Hashable, Sendable {
    /// NF_INET_*.
    public var hook: UInt32
    public var priority: Int32
    public var drops: Bool
    public init(hook: UInt32, priority: Int32, drops: Bool) {
      self.hook = hook
      self.priority = priority
      self.drops = drops
    }
  }

  /// With the longest keys they take less than a list of a message can hold, 64 KiB.
  public static let elementsInMessage = 500

  private var bytes: [UInt8] = []
  /// Messages between the frame; message n has sequence number n + 1.
  public private(set) var count = 0
  /// Of all messages and the frame.
  public var byteCount: Int { bytes.count + 20 }

  public init() { appendFrame(NFNL_MSG_BATCH_BEGIN) }

  // MARK: Messages

  public mutating func addTable(_ name: String, _ family: AddressFamily, comment: String? = nil) {
    let object = NftObject.table()
    nftnl_table_set_str(object.pointer, number(NFTNL_TABLE_NAME), name)
    nftnl_table_set_u32(object.pointer, number(NFTNL_TABLE_FLAGS), 0)
    if let comment {
      let data = Self.userData(NFTNL_UDATA_TABLE_COMMENT.rawValue, comment)
      nftnl_table_set_data(object.pointer, number(NFTNL_TABLE_USERDATA), data, UInt32(data.count))
    }
    append(NFT_MSG_NEWTABLE, family, bound: name.utf8.count) { nftnl_table_nlmsg_build_payload($0, object.pointer) }
  }

  /// With everything in it.
  public mutating func deleteTable(_ name: String, _ family: AddressFamily) {
    let object = NftObject.table()
    nftnl_table_set_str(object.pointer, number(NFTNL_TABLE_NAME), name)
    append(NFT_MSG_DELTABLE, family, bound: name.utf8.count) { nftnl_table_nlmsg_build_payload($0, object.pointer) }
  }

  public mutating func addChain(
    _ name: String, in table: String, _ family: AddressFamily, base: Base? = nil, comment: String? = nil
  ) {
    let object = NftObject.chain()
    nftnl_chain_set_str(object.pointer, number(NFTNL_CHAIN_TABLE), table)
    nftnl_chain_set_str(object.pointer, number(NFTNL_CHAIN_NAME), name)
    if let base {
      // NF_DROP and NF_ACCEPT of linux/netfilter.h are 0 and 1.
      nftnl_chain_set_str(object.pointer, number(NFTNL_CHAIN_TYPE), "filter")
      nftnl_chain_set_u32(object.pointer, number(NFTNL_CHAIN_HOOKNUM), base.hook)
      nftnl_chain_set_s32(object.pointer, number(NFTNL_CHAIN_PRIO), base.priority)
      nftnl_chain_set_u32(object.pointer, number(NFTNL_CHAIN_POLICY), base.drops ? 0 : 1)
    }
    if let comment {
      let data = Self.userData(NFTNL_UDATA_CHAIN_COMMENT.rawValue, comment)
      nftnl_chain_set_data(object.pointer, number(NFTNL_CHAIN_USERDATA), data, UInt32(data.count))
    }
    append(NFT_MSG_NEWCHAIN, family, bound: table.utf8.count + name.utf8.count) {
      nftnl_chain_nlmsg_build_payload($0, object.pointer)
    }
  }

  public mutating func addSet(_ set: NftSet, in table: String, _ family: AddressFamily) {
    let object = NftObject.set()
    nftnl_set_set_str(object.pointer, number(NFTNL_SET_TABLE), table)
    nftnl_set_set_str(object.pointer, number(NFTNL_SET_NAME), set.name)
    nftnl_set_set_u32(object.pointer, number(NFTNL_SET_ID), set.id)
    nftnl_set_set_u32(object.pointer, number(NFTNL_SET_KEY_TYPE), set.keyType)
    nftnl_set_set_u32(object.pointer, number(NFTNL_SET_KEY_LEN), UInt32(set.keyLength))
    nftnl_set_set_u32(object.pointer, number(NFTNL_SET_FLAGS), set.flags)
    if set.isMap {
      nftnl_set_set_u32(object.pointer, number(NFTNL_SET_DATA_TYPE), NftSet.Field.mark.rawValue)
      nftnl_set_set_u32(object.pointer, number(NFTNL_SET_DATA_LEN), UInt32(NftSet.Field.mark.length))
    }
    if let size = set.size { nftnl_set_set_u32(object.pointer, number(NFTNL_SET_DESC_SIZE), UInt32(size)) }
    if set.isInterval, set.isConcatenation {
      let lengths = set.fields.map { UInt8($0.length) }
      nftnl_set_set_data(object.pointer, number(NFTNL_SET_DESC_CONCAT), lengths, UInt32(lengths.count))
    }
    var data = set.userData
    if let comment = set.comment { data += Self.userData(NFTNL_UDATA_SET_COMMENT.rawValue, comment) }
    nftnl_set_set_data(object.pointer, number(NFTNL_SET_USERDATA), data, UInt32(data.count))
    append(NFT_MSG_NEWSET, family, bound: table.utf8.count + set.name.utf8.count) {
      nftnl_set_nlmsg_build_payload($0, object.pointer)
    }
  }

  public mutating func addElements(
    _ elements: [NftElement], to set: NftSet, in table: String, _ family: AddressFamily
  ) {
    append(elements, of: set, in: table, family, Self.type(NFT_MSG_NEWSETELEM), flags: NLM_F_CREATE)
  }

  /// Takes elements out of a set that stands already; the marks of a map are not looked at.
  public mutating func deleteElements(
    _ elements: [NftElement], from set: NftSet, in table: String, _ family: AddressFamily
  ) {
    append(elements, of: set, in: table, family, Self.type(NFT_MSG_DELSETELEM), flags: 0)
  }

  /// Without libnftnl, which would allocate each element.
  private mutating func append(
    _ elements: [NftElement], of set: NftSet, in table: String, _ family: AddressFamily, _ type: UInt16, flags: Int32
  ) {
    for start in stride(from: 0, to: elements.count, by: Self.elementsInMessage) {
      let piece = elements[start..<min(start + Self.elementsInMessage, elements.count)]
      count += 1
      var buffer = NetlinkBuffer()
      buffer.appendMessage(
        type: type, flags: UInt16(NLM_F_REQUEST | flags), sequence: UInt32(count),
        nfgenmsg(nfgen_family: family.number, version: UInt8(NFNETLINK_V0), res_id: 0)
      ) { message in
        message.put(number(NFTA_SET_ELEM_LIST_TABLE), string: table)
        message.put(number(NFTA_SET_ELEM_LIST_SET), string: set.name)
        message.put(number(NFTA_SET_ELEM_LIST_SET_ID), set.id.bigEndian)
        message.withNest(number(NFTA_SET_ELEM_LIST_ELEMENTS)) { list in
          for element in piece {
            list.withNest(number(NFTA_LIST_ELEM)) {
              if element.isEnd {
                $0.put(number(NFTA_SET_ELEM_FLAGS), UInt32(number(NFT_SET_ELEM_INTERVAL_END)).bigEndian)
              }
              $0.withNest(number(NFTA_SET_ELEM_KEY)) { $0.put(number(NFTA_DATA_VALUE), element.key) }
              if let last = element.lastKey {
                $0.withNest(number(NFTA_SET_ELEM_KEY_END)) { $0.put(number(NFTA_DATA_VALUE), last) }
              }
              if let mark = element.mark {
                $0.withNest(number(NFTA_SET_ELEM_DATA)) {
                  $0.put(number(NFTA_DATA_VALUE), withUnsafeBytes(of: mark) { Array($0) })
                }
              }
              // NFTNL_UDATA_SET_ELEM_FLAGS with SET_ELEM_F_INTERVAL_OPEN, nft's own note to itself.
              if element.isOpen {
                $0.put(number(NFTA_SET_ELEM_USERDATA), [1, 4] + withUnsafeBytes(of: UInt32(1)) { Array($0) })
              }
            }
          }
        }
      }
      bytes += buffer.bytes
    }
  }

  public mutating func addRule(
    _ expressions: [NftExpression], to chain: String, in table: String, _ family: AddressFamily, comment: String? = nil
  ) {
    let object = NftObject.rule()
    nftnl_rule_set_str(object.pointer, number(NFTNL_RULE_TABLE), table)
    nftnl_rule_set_str(object.pointer, number(NFTNL_RULE_CHAIN), chain)
    for expression in expressions { nftnl_rule_add_expr(object.pointer, expression.object().release()) }
    if let comment {
      let data = Self.userData(NFTNL_UDATA_RULE_COMMENT.rawValue, comment)
      nftnl_rule_set_data(object.pointer, number(NFTNL_RULE_USERDATA), data, UInt32(data.count))
    }
    let bound = expressions.reduce(table.utf8.count + chain.utf8.count) { $0 + $1.encodedBound }
    append(NFT_MSG_NEWRULE, family, flags: NLM_F_APPEND, bound: bound) {
      nftnl_rule_nlmsg_build_payload($0, object.pointer)
    }
  }

  // MARK: Sending

  /// Sends the transaction, and throws the first error.
  ///
  /// It is over when the datagram is sent. A datagram larger than the socket's buffer is refused with EMSGSIZE:
  /// without the host's CAP_NET_ADMIN net.core.wmem_max is the bound.
  public func send(in socket: borrowing NetlinkSocket) throws(NftRefusal) {
    if count == 0 { return }
    var whole = self
    // No acknowledgement is asked for: all errors wait to be read when the datagram is sent, and none is success.
    whole.appendFrame(NFNL_MSG_BATCH_END)
    let answers: (errors: [NftRefusal], lost: Bool)
    do throws(KernelError) {
      socket.reserveSendBuffer(whole.bytes.count)
      socket.reserveReceiveBuffer(1 << 20)
      try Self.sendBytes(whole.bytes, socket)
      answers = try receiveAnswers(in: socket)
    } catch {
      throw NftRefusal(message: nil, error: error)
    }
    // A commit that fails is answered as the frame's.
    if let first = answers.errors.min(by: { ($0.message ?? .max) < ($1.message ?? .max) }) { throw first }
    if answers.lost {
      throw NftRefusal(
        message: nil, error: KernelError("nf_tables transaction", code: ENOBUFS, message: "answers lost"))
    }
  }

  private static func sendBytes(_ bytes: [UInt8], _ socket: borrowing NetlinkSocket) throws(KernelError) {
    var failure: KernelError?
    bytes.withUnsafeBytes { bytes in
      do throws(KernelError) { try socket.send(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func receiveAnswers(
    in socket: borrowing NetlinkSocket
  ) throws(KernelError) -> (errors: [NftRefusal], lost: Bool) {
    var errors: [NftRefusal] = []
    let count = count
    let lost = try socket.drainAnswers { answer in
      guard let error = answer.error(of: "nf_tables transaction") else { return }
      let sequence = Int(answer.sequence)
      errors.append(NftRefusal(message: (1...count).contains(sequence) ? sequence - 1 : nil, error: error))
    }
    return (errors, lost)
  }

  // MARK: Layout

  private static func type(_ message: nf_tables_msg_types) -> UInt16 {
    UInt16(NFNL_SUBSYS_NFTABLES) << 8 | number(message)
  }

  /// NFNL_MSG_BATCH_BEGIN or _END.
  private mutating func appendFrame(_ type: Int32) {
    var buffer = NetlinkBuffer()
    buffer.appendMessage(
      type: UInt16(type), flags: UInt16(NLM_F_REQUEST), sequence: type == NFNL_MSG_BATCH_BEGIN ? 0 : UInt32(count + 1),
      nfgenmsg(
        nfgen_family: UInt8(AF_UNSPEC), version: UInt8(NFNETLINK_V0), res_id: UInt16(NFNL_SUBSYS_NFTABLES).bigEndian)
    ) { _ in }
    bytes += buffer.bytes
  }

  /// libnftnl writes without asking for the room: `bound` is what its strings and expressions take at most.
  private mutating func append(
    _ message: nf_tables_msg_types, _ family: AddressFamily, flags: Int32 = 0, bound: Int,
    _ build: (UnsafeMutablePointer<nlmsghdr>) -> Void
  ) {
    count += 1
    let sequence = UInt32(count)
    withUnsafeTemporaryAllocation(byteCount: 1024 + bound, alignment: 16) { room in
      room.initializeMemory(as: UInt8.self, repeating: 0)
      guard let start = room.baseAddress?.assumingMemoryBound(to: CChar.self),
        let header = nftnl_nlmsg_build_hdr(
          start, number(message), UInt16(family.number), UInt16(NLM_F_CREATE | flags), sequence)
      else { preconditionFailure("no room for a message") }
      build(header)
      let length = (Int(header.pointee.nlmsg_len) + 3) & ~3
      precondition(length <= room.count, "a message of \(length) bytes in a room of \(room.count)")
      bytes += room[..<length]
    }
  }

  /// A comment as nft keeps it (libnftnl/udata.h): type, length, text with its zero. Longer ones are cut at 128 bytes.
  private static func userData(_ type: UInt32, _ comment: String) -> [UInt8] {
    let text = Array(comment.utf8.prefix(Int(NFTNL_UDATA_COMMENT_MAXLEN))) + [0]
    return [UInt8(truncatingIfNeeded: type), UInt8(text.count)] + text
  }
}
