public import Kernel
public import NetpolModel

extension IPFamily {
  /// The family as named in requests to the kernel.
  public var netlink: AddressFamily { self == .v4 ? .v4 : .v6 }
  /// The program for this family's tables. Its `-save` and `-restore` programs have the same name with that suffix.
  public var iptables: String { self == .v4 ? "iptables" : "ip6tables" }
}
