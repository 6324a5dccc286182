internal import CLinux

/// The capabilities that a lab needs (capabilities(7)). The values are the bits of linux/capability.h.
public enum Capability: Int, CaseIterable, Sendable, CustomStringConvertible {
  /// To configure links, routes and rules.
  case netAdmin = 12
  /// To send SYNs, and for iptables to read sets.
  case netRaw = 13
  /// To make and enter namespaces.
  case sysAdmin = 21

  public var description: String {
    switch self {
    case .netAdmin: "CAP_NET_ADMIN"
    case .netRaw: "CAP_NET_RAW"
    case .sysAdmin: "CAP_SYS_ADMIN"
    }
  }

  /// Those that the calling thread can't use. A container's root often lacks some. Everything is missing if the kernel
  /// doesn't tell. The corresponding C function is `capget`.
  public static var missing: [Capability] {
    var effective: UInt64 = 0
    guard cl_effective_capabilities(&effective) == 0 else { return allCases }
    return allCases.filter { effective & (1 << $0.rawValue) == 0 }
  }
}
