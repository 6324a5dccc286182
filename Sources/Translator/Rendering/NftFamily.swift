public import NetpolModel

extension IPFamily {
  /// nft's keyword for the family, for tables and header fields.
  public var nft: String { self == .v4 ? "ip" : "ip6" }
  /// nft's type for addresses of the family.
  var nftAddress: String { self == .v4 ? "ipv4_addr" : "ipv6_addr" }
}
