internal import NetpolModel
public import RuleIR

/// Returns the sets as `ipset save` 7.17 prints them, without `initval` and sorted by name. `ipset restore` can read
/// it.
///
/// The options are the kernel's defaults and `timeout 0`, as kube-router creates its sets.
public func ipsetRestoreText(_ sets: [NamedSet]) throws(Unsupported) -> String {
  var text = ""
  for set in sets.sorted(by: { $0.name < $1.name }) {
    if set.kind == .interval { throw Unsupported("the interval set \(set.name)", in: "ipset") }
    let family = set.family == .v4 ? "inet" : "inet6"
    text +=
      "create \(set.name) \(set.kind.rawValue) family \(family) hashsize 1024 maxelem 65536 timeout 0 bucketsize 12\n"
    for member in set.stored {
      let element = member.cidr.isHost ? "\(member.cidr.network)" : "\(member.cidr)"
      text += "add \(set.name) \(element) timeout 0\(member.nomatch ? " nomatch" : "")\n"
    }
  }
  return text
}
