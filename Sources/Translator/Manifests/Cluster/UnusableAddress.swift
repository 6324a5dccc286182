internal import NetpolModel

extension IPAddress {
  /// The addresses of the lab's own machines (`AddressPlan`): the control station, and the gateway of pods without a
  /// pod CIDR, which is link-local in IPv4.
  static let ownedByLab: Set = [
    IPAddress(v4: 0xc612_fffe), IPAddress(v6: 0xfdff << 112 | 0xfffe), IPAddress(v6: 0xfdfe << 112 | 1),
  ]

  /// Why no pod, node or external host can have this address, even if an API server has stored it. `nil` if it is
  /// usable.
  var obstacle: String? {
    if bits == 0 { return "the unspecified address" }
    if isMulticast { return "a multicast address" }
    if family == .v4 ? bits >> 24 == 127 : bits == 1 { return "a loopback address" }
    if family == .v4 ? bits >> 16 == 0xa9fe : bits >> 118 == 0xfe80 >> 6 { return "a link-local address" }
    // RFC 4291 2.5.5.2: Linux accepts no packet from such a source.
    if family == .v6, bits >> 32 == 0xffff { return "an IPv4-mapped address" }
    if family == .v4, bits == 0xffff_ffff { return "the broadcast address" }
    return Self.ownedByLab.contains(self) ? "an address reserved by the lab" : nil
  }
}
