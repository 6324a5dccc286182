public import Kernel
public import NetpolModel

extension IPFamily {
  /// As requests to the kernel name it.
  public var netlink: AddressFamily { self == .v4 ? .v4 : .v6 }
  /// The program for this family's tables; `-save` and `-restore` behind it are names of others.
  public var iptables: String { self == .v4 ? "iptables" : "ip6tables" }
}
