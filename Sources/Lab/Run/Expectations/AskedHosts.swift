public import NetpolModel
internal import Path

extension [GroupToCheck] {
  /// The groups with a host outside for each address of their flows that nobody has and nobody inside can have. Also
  /// returns all these hosts, each once.
  public func addingHosts() -> (groups: [GroupToCheck], added: [ExternalHost]) {
    var added: Set<ExternalHost> = []
    let groups = map { group in
      var group = group
      let senders = group.group.flows.compactMap(\.from.address)
      let receivers = group.group.flows.compactMap(\.to.address)
      let hosts: [ExternalHost]
      (group.cluster, hosts) = group.cluster.addingHosts(sending: senders, receiving: receivers)
      added.formUnion(hosts)
      // Otherwise the new hosts would count as what the variant changes.
      if let reference = group.reference {
        group.reference?.cluster =
          reference.cluster.addingHosts(sending: senders, receiving: receivers).cluster
      }
      return group
    }
    return (groups, added.sorted { $0.name < $1.name })
  }
}
