public import NetpolModel

/// A set of addresses or networks that rules refer to by name.
public struct NamedSet: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Single addresses: ipset `hash:ip`, or an nft set without flags.
    case addresses = "hash:ip"
    /// ipset `hash:net`: the longest matching prefix decides, and `nomatch` members exclude.
    case hashNet = "hash:net"
    /// nft `flags interval`: ranges that may not overlap.
    case interval
  }

  public struct Member: Hashable, Comparable, Sendable {
    public var cidr: CIDR
    public var nomatch: Bool
    public init(_ cidr: CIDR, nomatch: Bool = false) {
      self.cidr = cidr
      self.nomatch = nomatch
    }
    public static func < (a: Member, b: Member) -> Bool {
      a.cidr == b.cidr ? !a.nomatch && b.nomatch : a.cidr < b.cidr
    }
  }

  public var name: SetName
  public var family: IPFamily
  public var kind: Kind
  /// In the order of insertion. Of two members with the same prefix, the last one stays.
  public var members: [Member]
  public var comment: String?
  public var origin: Origin?

  public init(
    name: SetName, family: IPFamily, kind: Kind, members: [Member] = [], comment: String? = nil, origin: Origin? = nil
  ) {
    self.name = name
    self.family = family
    self.kind = kind
    self.members = members
    self.comment = comment
    self.origin = origin
  }

  /// The members as a kernel keeps them: the last one added for each prefix, sorted by address.
  public var stored: [Member] {
    var byPrefix: [CIDR: Member] = [:]
    for member in members { byPrefix[member.cidr] = member }
    return byPrefix.values.sorted()
  }
}
