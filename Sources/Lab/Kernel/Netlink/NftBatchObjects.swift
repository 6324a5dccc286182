internal import CNftables
internal import Glibc

// Tables, chains, sets and rules, one message each.
extension NftBatch {
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

  /// Deletes a table with everything in it.
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
      nftnl_chain_set_str(object.pointer, number(NFTNL_CHAIN_TYPE), base.type)
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

  /// Deletes a chain. It must be empty, and no rule may jump to it.
  public mutating func deleteChain(_ name: String, in table: String, _ family: AddressFamily) {
    let object = NftObject.chain()
    nftnl_chain_set_str(object.pointer, number(NFTNL_CHAIN_TABLE), table)
    nftnl_chain_set_str(object.pointer, number(NFTNL_CHAIN_NAME), name)
    append(NFT_MSG_DELCHAIN, family, bound: table.utf8.count + name.utf8.count) {
      nftnl_chain_nlmsg_build_payload($0, object.pointer)
    }
  }

  /// Deletes all rules of a chain.
  public mutating func flushChain(_ name: String, in table: String, _ family: AddressFamily) {
    let object = NftObject.rule()
    nftnl_rule_set_str(object.pointer, number(NFTNL_RULE_TABLE), table)
    nftnl_rule_set_str(object.pointer, number(NFTNL_RULE_CHAIN), name)
    append(NFT_MSG_DELRULE, family, bound: table.utf8.count + name.utf8.count) {
      nftnl_rule_nlmsg_build_payload($0, object.pointer)
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
    if let data = set.data { nftnl_set_set_u32(object.pointer, number(NFTNL_SET_DATA_TYPE), data.type) }
    if case .fields(let fields)? = set.data {
      nftnl_set_set_u32(object.pointer, number(NFTNL_SET_DATA_LEN), UInt32(fields.length))
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

  /// Deletes a set. No rule may use it.
  public mutating func deleteSet(_ name: String, in table: String, _ family: AddressFamily) {
    let object = NftObject.set()
    nftnl_set_set_str(object.pointer, number(NFTNL_SET_TABLE), table)
    nftnl_set_set_str(object.pointer, number(NFTNL_SET_NAME), name)
    append(NFT_MSG_DELSET, family, bound: table.utf8.count + name.utf8.count) {
      nftnl_set_nlmsg_build_payload($0, object.pointer)
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
}
