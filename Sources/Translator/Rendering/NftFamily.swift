public import NetpolModel

extension IPFamily {
  /// nft's word for the family of a table and of a header's fields.
  public var nft: String { self == .v4 ? "ip" : "ip6" }
  /// nft's type of an address.
  var nftAddress: String { self == .v4 ? "ipv4_addr" : "ipv6_addr" }
}
