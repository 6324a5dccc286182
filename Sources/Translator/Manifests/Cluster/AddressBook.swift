internal import NetpolModel

/// The owner of each address that the input states. Two machines may not share an address, but two pods may: an old one
/// in phase Unknown and its successor. Host-network pods and pods that have ended have no address of their own.
struct AddressBook {
  private enum HolderKind: String {
    case node, pod, host
  }
  private struct Holder {
    let kind: HolderKind
    let name: String
    let location: SourceLocation?
    /// Whether the address comes from the input.
    var isStated = true
  }

  private var holders: [IPAddress: Holder] = [:]

  /// `keptNodes` and `keptPods` keep addresses that are not in the input.
  static func check(
    nodes: [NodeManifest], pods: [PodManifest], hosts: [Stated<IPAddress>], keptNodes: [Node] = [], keptPods: [Pod] = []
  ) throws(ManifestError) {
    var book = AddressBook()
    for node in keptNodes { book.keep(node.addresses, .node, node.name, node.location) }
    for pod in keptPods { book.keep(pod.podIPs, .pod, "\(pod.id)", pod.location) }
    for node in nodes { try book.claim(node.addresses, .node, node.name) }
    for pod in pods where !pod.pod.hostNetwork && !pod.pod.phase.isTerminal {
      try book.claim(pod.statedAddresses, .pod, "\(pod.pod.id)")
    }
    try book.claim(hosts, .host, "")
  }

  private mutating func keep(
    _ addresses: [IPAddress], _ kind: HolderKind, _ name: String, _ location: SourceLocation?
  ) {
    for address in addresses {
      holders[address] = Holder(kind: kind, name: name, location: location, isStated: false)
    }
  }

  private mutating func claim(_ addresses: [Stated<IPAddress>], _ kind: HolderKind, _ name: String)
    throws(ManifestError)
  {
    for address in addresses {
      if let obstacle = address.value.obstacle {
        throw address.field.error(
          "\(address.value) is \(obstacle)", "give the \(kind) a unicast address that others can reach")
      }
      guard let first = holders[address.value] else {
        holders[address.value] = Holder(kind: kind, name: name, location: address.field.location)
        continue
      }
      if first.isStated, first.kind == .pod, kind == .pod { continue }
      let place = first.location.map { " (\($0))" } ?? ""
      throw address.field.error(
        "\(address.value) is the address of \(first.kind) \(first.name)\(place)",
        "give the \(kind) an address of its own")
    }
  }
}
