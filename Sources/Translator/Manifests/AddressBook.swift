internal import NetpolModel

/// Whose each address is. Machines share none; two pods may (an old one in phase Unknown, and its successor).
struct AddressBook {
  private struct Holder {
    let title: String
    let isPod: Bool
    let location: SourceLocation?
  }
  private var holders: [IPAddress: Holder] = [:]

  init(nodes: NodeTable, pods: [PodManifest], hosts: [ExternalHostAddress]) throws(ManifestError) {
    for manifest in nodes.manifests {
      for address in manifest.addresses { try claim(address, for: "node", manifest.name) }
    }
    for manifest in pods where !manifest.pod.hostNetwork {
      for address in manifest.statedAddresses { try claim(address, for: "pod", manifest.pod.id.description) }
    }
    for host in hosts { try claim(host.address, for: "host", host.name) }
  }

  private mutating func claim(_ address: Stated<IPAddress>, for kind: String, _ name: String) throws(ManifestError) {
    let holder = Holder(title: "\(kind) \(name)", isPod: kind == "pod", location: address.field.location)
    guard let first = holders[address.value] else {
      holders[address.value] = holder
      return
    }
    if first.isPod && holder.isPod || first.title == holder.title { return }
    throw address.field.error(
      "\(address.value) is the address of \(first.title) too (\(first.location.map(\.description) ?? ""))", "give the \(kind) an address of its own")
  }
}
