extension Cluster {
  /// The cluster with these changes, one after the other. A change of something that is not there changes nothing.
  ///
  /// What follows from labels, such as the endpoints of Services, stays as it was.
  public func applying(_ edits: [UnitEdit]) -> Cluster {
    var cluster = self
    for edit in edits { cluster.apply(edit) }
    return cluster
  }

  private mutating func apply(_ edit: UnitEdit) {
    switch edit {
    case .addPolicy(let policy):
      policies.append(policy)
      policies.sort { $0.id < $1.id }
    case .removePolicy(let id): policies.removeAll { $0.id == id }
    case .addRule(let rule, let direction, let id): change(id) { $0.change(direction) { $0.append(rule) } }
    case .removeRule(let place):
      change(place.policy) { policy in
        policy.change(place.direction) { if $0.indices.contains(place.index) { $0.remove(at: place.index) } }
      }
    case .addPeer(let peer, let place):
      change(place) { rule in
        // A rule without peers admits any.
        if case .listed(let peers) = rule.peers { rule.peers = .listed(peers + [peer]) }
      }
    case .removePeer(let index, let place):
      change(place) { rule in
        var peers = rule.peers.list
        guard peers.indices.contains(index) else { return }
        peers.remove(at: index)
        rule.peers = peers.isEmpty ? .any : .listed(peers)
      }
    case .addPort(let port, let place):
      change(place) { rule in if case .listed(let ports) = rule.ports { rule.ports = .listed(ports + [port]) } }
    case .removePort(let index, let place):
      change(place) { rule in
        var ports = rule.ports.list
        guard ports.indices.contains(index) else { return }
        ports.remove(at: index)
        rule.ports = ports.isEmpty ? .all : .listed(ports)
      }
    case .addType(let direction, let id): change(id) { $0.isolates.insert(direction) }
    case .removeType(let direction, let id):
      // Without any type the defaults apply, which may name it again.
      change(id) { if $0.isolates.count > 1 { $0.isolates.remove(direction) } }
    case .label(let owner, let key, let value): setLabel(owner, key, value)
    }
  }

  private mutating func setLabel(_ owner: UnitEdit.LabelOwner, _ key: String, _ value: String?) {
    switch owner {
    case .namespace(let name):
      if let index = namespaces.firstIndex(where: { $0.name == name }) { namespaces[index].labels[key] = value }
    case .pod, .workload:
      for index in pods.indices where owner.owns(pods[index]) { pods[index].labels[key] = value }
    }
  }

  private mutating func change(_ id: PolicyID, _ change: (inout NetworkPolicy) -> Void) {
    guard let index = policies.firstIndex(where: { $0.id == id }) else { return }
    change(&policies[index])
  }

  private mutating func change(_ place: UnitEdit.RulePlace, _ change: (inout NetworkPolicy.Rule) -> Void) {
    self.change(place.policy) { policy in
      policy.change(place.direction) { if $0.indices.contains(place.index) { change(&$0[place.index]) } }
    }
  }
}

extension NetworkPolicy {
  fileprivate mutating func change(_ direction: Direction, _ change: (inout [Rule]) -> Void) {
    switch direction {
    case .ingress: change(&ingress)
    case .egress: change(&egress)
    }
  }
}
