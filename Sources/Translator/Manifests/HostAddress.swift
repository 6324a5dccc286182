internal import NetpolModel

/// A value, and the field that says it.
struct Stated<Value> {
  let value: Value
  let field: Field
  init(_ value: Value, _ field: Field) {
    self.value = value
    self.field = field
  }
}

extension IPAddress {
  /// What the lab gives to its own machines (`AddressPlan`): the control station, and the gateway of pods without a
  /// pod CIDR. The IPv4 gateway is link-local.
  static let ownedByLab = [
    IPAddress(v4: 0xc612_fffe), IPAddress(v6: 0xfdff << 112 | 0xfffe), IPAddress(v6: 0xfdfe << 112 | 1),
  ]

  /// Why no interface of a pod, a node or an external host can have the address; nil where one can.
  var obstacle: String? {
    let top = family == .v4 ? bits >> 24 : bits >> 112
    if bits == 0 { return "the unspecified address" }
    if isMulticast { return "a multicast address" }
    if family == .v4 ? top == 127 : bits == 1 { return "a loopback address" }
    if family == .v4 ? bits >> 16 == 0xa9fe : top & 0xffc0 == 0xfe80 { return "a link-local address" }
    if family == .v4, bits == 0xffff_ffff { return "the broadcast address" }
    return Self.ownedByLab.contains(self) ? "an address of the lab itself" : nil
  }
}

extension Stated<IPAddress> {
  /// Whatever was stored, the lab can't build it: the check is the same for every `Validation`.
  func checkUsable(by owner: String) throws(ManifestError) {
    guard let obstacle = value.obstacle else { return }
    throw field.error("\(value) is \(obstacle)", "give \(owner) a unicast address that others can reach")
  }
}
