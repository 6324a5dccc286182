/// How kube-proxy translates services: `mode` of its configuration.
public enum KubeProxyMode: Hashable, Sendable {
  case iptables
  case nftables(KubeProxyRelease)

  public var isNftables: Bool { self != .iptables }

  /// As kube-proxy's configuration names it.
  public var keyword: String { isNftables ? "nftables" : "iptables" }
}

/// Releases of kube-proxy whose rules in nftables mode differ. Each stands for all up to the next.
public enum KubeProxyRelease: String, Hashable, Sendable, CaseIterable, Comparable {
  /// 1.31 and 1.32.
  case v32 = "1.32"
  case v33 = "1.33"
  /// 1.34 and 1.35.
  case v34 = "1.34"
  case v36 = "1.36"

  public static let latest = KubeProxyRelease.v36

  /// Whether kube-proxy watches ServiceCIDRs. Before 1.33 it does only with the feature gate
  /// `MultiCIDRServiceAllocator`, which is off by default (`pkg/features/kube_features.go`).
  public var knowsServiceCIDRs: Bool { self > .v32 }

  /// `1.35`, `v1.35.2`. `nil` if the text is no version.
  public init?(version: some StringProtocol) {
    let text = version.hasPrefix("v") ? String(version.dropFirst()) : String(version)
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber)), major >= 1
    else { return nil }
    if major == 1, minor <= 33 {
      self = minor < 33 ? .v32 : .v33
    } else {
      self = major == 1 && minor < 36 ? .v34 : .v36
    }
  }

  /// Whether the version is below 1.31, whose rules in nftables mode are not known.
  public static func isBeforeNftables(_ version: String) -> Bool {
    let parts = version.drop { $0 == "v" }.split(separator: ".")
    guard parts.count > 1, parts[0] == "1", let minor = Int(parts[1].prefix(while: \.isNumber)) else { return false }
    return minor < 31
  }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
