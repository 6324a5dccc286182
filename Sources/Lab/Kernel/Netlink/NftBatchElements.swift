internal import Algorithms
internal import CNftables
internal import Glibc

// Written without libnftnl, which would allocate memory for each element.
extension NftBatch {
  public mutating func addElements(
    _ elements: [NftElement], to set: NftSet, in table: String, _ family: AddressFamily
  ) {
    append(elements, of: set, in: table, family, NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE)
  }

  /// Deletes elements from an existing set. The kernel ignores the marks of a map.
  public mutating func deleteElements(
    _ elements: [NftElement], from set: NftSet, in table: String, _ family: AddressFamily
  ) {
    append(elements, of: set, in: table, family, NFT_MSG_DELSETELEM, flags: 0)
  }

  private mutating func append(
    _ elements: [NftElement], of set: NftSet, in table: String, _ family: AddressFamily, _ message: nf_tables_msg_types,
    flags: Int32
  ) {
    for piece in elements.chunks(ofCount: Self.elementsInMessage) {
      append(message, family, flags: flags) { message in
        message.put(number(NFTA_SET_ELEM_LIST_TABLE), string: table)
        message.put(number(NFTA_SET_ELEM_LIST_SET), string: set.name)
        message.put(number(NFTA_SET_ELEM_LIST_SET_ID), set.id.bigEndian)
        message.withNest(number(NFTA_SET_ELEM_LIST_ELEMENTS)) { list in
          for element in piece { list.withNest(number(NFTA_LIST_ELEM), element.put) }
        }
      }
    }
  }
}

extension NftElement {
  fileprivate func put(into message: inout NetlinkBuffer) {
    if isEnd { message.put(number(NFTA_SET_ELEM_FLAGS), UInt32(number(NFT_SET_ELEM_INTERVAL_END)).bigEndian) }
    message.withNest(number(NFTA_SET_ELEM_KEY)) { $0.put(number(NFTA_DATA_VALUE), key) }
    if let lastKey { message.withNest(number(NFTA_SET_ELEM_KEY_END)) { $0.put(number(NFTA_DATA_VALUE), lastKey) } }
    if let data { message.withNest(number(NFTA_SET_ELEM_DATA), data.put) }
    if let comment {
      message.put(number(NFTA_SET_ELEM_USERDATA), NftBatch.userData(NFTNL_UDATA_SET_ELEM_COMMENT.rawValue, comment))
    }
    // NFTNL_UDATA_SET_ELEM_FLAGS with SET_ELEM_F_INTERVAL_OPEN, which nft stores for its own use.
    if isOpen { message.put(number(NFTA_SET_ELEM_USERDATA), [1, 4] + withUnsafeBytes(of: UInt32(1)) { Array($0) }) }
  }
}

extension NftElement.Data {
  fileprivate func put(into message: inout NetlinkBuffer) {
    switch self {
    case .mark(let mark): message.put(number(NFTA_DATA_VALUE), mark)
    case .bytes(let bytes): message.put(number(NFTA_DATA_VALUE), bytes)
    case .verdict(let verdict):
      message.withNest(number(NFTA_DATA_VERDICT)) { nest in
        nest.put(number(NFTA_VERDICT_CODE), UInt32(bitPattern: verdict.code).bigEndian)
        if let chain = verdict.chain { nest.put(number(NFTA_VERDICT_CHAIN), string: chain) }
      }
    }
  }
}
