internal import CNftables

/// An object of libnftnl. It is freed when its owner is destroyed, on every path.
struct NftObject: ~Copyable {
  let pointer: OpaquePointer
  private let free: @convention(c) (OpaquePointer?) -> Void

  private init(_ pointer: OpaquePointer?, _ free: @convention(c) (OpaquePointer?) -> Void) {
    guard let pointer else { preconditionFailure("libnftnl can't allocate an object") }
    self.pointer = pointer
    self.free = free
  }

  static func table() -> NftObject { NftObject(nftnl_table_alloc()) { nftnl_table_free($0) } }
  static func chain() -> NftObject { NftObject(nftnl_chain_alloc()) { nftnl_chain_free($0) } }
  static func set() -> NftObject { NftObject(nftnl_set_alloc()) { nftnl_set_free($0) } }
  static func rule() -> NftObject { NftObject(nftnl_rule_alloc()) { nftnl_rule_free($0) } }
  static func expression(_ name: String) -> NftObject { NftObject(nftnl_expr_alloc(name)) { nftnl_expr_free($0) } }

  deinit { free(pointer) }

  /// Gives up the object to a new owner, as `nftnl_rule_add_expr` needs it.
  consuming func release() -> OpaquePointer {
    let pointer = pointer
    discard self
    return pointer
  }
}
