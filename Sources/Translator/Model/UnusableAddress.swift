extension IPAddress {
  /// The addresses of the lab's own machines (`AddressPlan`): the control station, and the gateway of pods without a
  /// pod CIDR.
  package static let ownedByLab: Set = [
    IPAddress(v4: 0xc612_fffe), IPAddress(v6: 0xfdff << 112 | 0xfffe), IPAddress(v6: 0xfdfe << 112 | 1),
    IPAddress(v4: 0xa9fe_0101),
  ]

  /// Why no pod, node or external host of the manifests can have this address, even if an API server has stored it.
  /// `nil` if it is usable.
  package var obstacle: String? {
    // An IPv4 one is usable outside: a cloud's metadata service is at 169.254.169.254.
    if isLinkLocal { return "a link-local address" }
    return obstacleOutside
  }

  /// Why no host at all can be reached at this address over a router. `nil` if one can.
  package var obstacleOutside: String? {
    if bits == 0 { return "the unspecified address" }
    if isMulticast { return "a multicast address" }
    if isLoopback { return "a loopback address" }
    if family == .v6, isLinkLocal { return "a link-local address" }
    // RFC 4291 2.5.5.2: Linux accepts no packet from such a source.
    if family == .v6, bits >> 32 == 0xffff { return "an IPv4-mapped address" }
    if family == .v4, bits == 0xffff_ffff { return "the broadcast address" }
    return Self.ownedByLab.contains(self) ? "an address reserved by the lab" : nil
  }

  /// 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291).
  private var isLinkLocal: Bool { family == .v4 ? bits >> 16 == 0xa9fe : bits >> 118 == 0xfe80 >> 6 }
}
