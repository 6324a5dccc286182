public import NetpolModel

/// A set of one family: in IPv4 and IPv6 sets may have the same name.
public struct SetPlace: Hashable, Sendable {
  public let set: SetName
  public let family: IPFamily
  public init(set: SetName, family: IPFamily) {
    self.set = set
    self.family = family
  }
}
