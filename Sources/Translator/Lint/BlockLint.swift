internal import NetpolModel

/// Networks in rules.
extension Linter {
  func blocks(_ policy: NetworkPolicy, _ place: RulePlace) -> [LintFinding] {
    place.rule.peers.list.enumerated().flatMap { number, peer -> [LintFinding] in
      guard case .block(let block) = peer else { return [] }
      let place = place.peer(number)
      if block.cidr.prefixLength == 0 { return whole(block, policy, place) }
      return [services(block, number, policy, place) ?? pods(block, number, policy, place)].compactMap(\.self)
    }
  }

  /// Addresses of Services, which no policy ever sees.
  private func services(
    _ block: NetworkPolicy.IPBlock, _ number: Int, _ policy: NetworkPolicy, _ place: RulePlace
  ) -> LintFinding? {
    let make = { (what: String, remedy: String, fix: [UnitEdit]) in
      LintFinding(
        .lintServiceAddress, place.rule.peers.list.count == 1 ? .error : .warning, policy, place,
        "\(block.cidr) \(what): a node has replaced such an address before policies see the packet",
        remedy: remedy, fix: fix)
    }
    let usual = "select the pods behind the Service, with their port"
    if place.direction == .egress,
      let own = cluster.services.first(where: { service in
        block.cidr.isHost && (service.clusterIPs + service.translatedAddresses).contains(block.cidr.network)
      })
    {
      // A balancer's address may be a machine of its own.
      let isClusterIP = own.clusterIPs.contains(block.cidr.network)
      return make(
        "is \(isClusterIP ? "the ClusterIP" : "an address") of Service \(own.id)",
        own.selector?.isEmpty ?? true
          ? "the Service selects no pods: name the addresses of its endpoints in ipBlocks, with their port" : usual,
        behind(own, number, policy, place))
    }
    let isServices = cluster.settings.serviceCIDRs.contains {
      $0.contains(block.cidr.network) && $0.prefixLength <= block.cidr.prefixLength
    }
    return isServices ? make("is part of the service network", usual, []) : nil
  }

  /// The pods of a Service in the place of its address, with the ports that it leads to: its endpoints' addresses if it
  /// selects no pods. Empty if nobody knows them.
  private func behind(
    _ service: Service, _ number: Int, _ policy: NetworkPolicy, _ place: RulePlace
  ) -> [UnitEdit] {
    guard let selector = service.selector, !selector.isEmpty else {
      return endpoints(service, number, policy, place)
    }
    let name = service.id.namespace
    let peer = NetworkPolicy.Peer.pods(
      in: name == policy.id.namespace
        ? .own : .matching(LabelSelector(matchLabels: ["kubernetes.io/metadata.name": name])),
      matching: LabelSelector(matchLabels: selector))
    let listed = place.rule.ports.list
    let targets = service.ports.filter { own in listed.contains { $0.includes(own.transport, own.port) } }.compactMap {
      own -> NetworkPolicy.PortRule? in
      switch own.targetPort {
      case .number(let target):
        listed.contains { $0.includes(own.transport, target) }
          ? nil : .init(own.transport, .number(target, through: nil))
      case .name(let name): .init(own.transport, .name(name))
      }
    }
    return targets.map { .addPort($0, place.rule(of: policy)) }
      + place.replacing(peer: number, of: policy, by: [peer])
  }

  /// The addresses of a Service's endpoints in the place of its own, with their ports.
  private func endpoints(
    _ service: Service, _ number: Int, _ policy: NetworkPolicy, _ place: RulePlace
  ) -> [UnitEdit] {
    let slices = cluster.endpointSlices.filter {
      $0.id.namespace == service.id.namespace && $0.service == service.id.name
    }
    let addresses = Set(slices.flatMap(\.members).map(\.address)).sorted()
    let listed = place.rule.ports.list
    let own = service.ports.filter { port in listed.contains { $0.includes(port.transport, port.port) } }
    let targets = slices.flatMap(\.ports).filter { target in own.contains { $0.name == target.name } }.compactMap {
      target -> NetworkPolicy.PortRule? in
      listed.contains { $0.includes(target.transport, target.port) }
        ? nil : .init(target.transport, .number(target.port, through: nil))
    }
    let peers = addresses.map { NetworkPolicy.Peer.block(.init(CIDR($0))) }
    return Set(targets).sorted { "\($0)" < "\($1)" }.map { .addPort($0, place.rule(of: policy)) }
      + place.replacing(peer: number, of: policy, by: peers)
  }

  /// The pods that have an address in a block.
  private func holders(of block: NetworkPolicy.IPBlock) -> [Pod] {
    podsIn.values.joined().filter { !$0.hostNetwork && $0.podIPs.contains(where: block.contains) }
  }

  /// Addresses of pods.
  private func pods(
    _ block: NetworkPolicy.IPBlock, _ number: Int, _ policy: NetworkPolicy, _ place: RulePlace
  ) -> LintFinding? {
    let inside = holders(of: block)
    let networks = cluster.nodes.flatMap(\.podCIDRs).filter { network in
      network.overlaps(block.cidr)
        && !block.except.contains { $0.contains(network.network) && $0.prefixLength <= network.prefixLength }
    }
    if inside.isEmpty, networks.isEmpty { return nil }
    let spaces = Set(inside.map(\.id.namespace)).sorted()
    let pods = "\(inside.count == 1 ? "one pod" : "\(inside.count) pods") of \(spaces.abridged(to: 3))"
    // Without pod CIDRs in the input, the pods have the addresses that this lab gives them.
    let now =
      isAssumed(block.cidr)
      ? "as the input has no pod CIDR, this lab takes k3s's\(inside.isEmpty ? "" : ": \(pods)")"
      : inside.isEmpty ? "no pod has one now" : "now \(pods)"
    return LintFinding(
      .lintBlockOverPods, block.cidr.isHost ? .warning : .note, policy, place,
      "\(block.cidr) holds addresses of pods (\(now)): \(place.direction == .ingress ? "all of them are admitted" : "all of them can be reached"), "
        + "whatever their labels",
      remedy: block.cidr.isHost
        ? "a pod's address changes when it is made anew: select it by labels"
        : "select pods by labels, or keep it as the price of not waiting for sets (netpol-lab lag)"
    ).shown(inside, policy, place.direction, self)
  }

  /// Whether a network holds pods only by the addresses that this lab gave them.
  func isAssumed(_ network: CIDR) -> Bool {
    cluster.nodes.contains { node in
      cluster.unseen.podCIDRsOf.contains(node.name) && node.podCIDRs.contains { $0.overlaps(network) }
    }
  }

  /// `0.0.0.0/0` and `::/0`.
  private func whole(_ block: NetworkPolicy.IPBlock, _ policy: NetworkPolicy, _ place: RulePlace) -> [LintFinding] {
    if block.cidr.family == .v6 {
      return [
        LintFinding(
          .lintWholeIPv6, .note, policy, place,
          "kube-router stores ::/0 as 2000::/3 and fd00::/8, so fe80::/10 and the rest are not in it (D10)",
          remedy: "name the networks that you mean")
      ]
    }
    let inside = holders(of: block)
    if inside.isEmpty || block.except.isEmpty && place.rule.peers.list.count > 1 { return [] }
    return [
      LintFinding(
        .lintBlockOverPods, .note, policy, place,
        "\(block.cidr)\(block.except.isEmpty ? "" : " without its excepts") holds the pods too (\(inside.count) of them)",
        remedy: "add the pod network to except if only the outside is meant"
      ).shown(inside, policy, place.direction, self)
    ]
  }
}

extension LintFinding {
  /// By a flow between a pod that a block holds and one that the policy selects.
  fileprivate func shown(
    _ inside: [Pod], _ policy: NetworkPolicy, _ direction: Direction, _ linter: Linter
  ) -> LintFinding {
    let subject = linter.pods(policy.podSelector, in: policy.id.namespace).first { !$0.hostNetwork }
    // As a rule, a pod of another namespace is the one that was not meant.
    let others = inside.filter { $0.id != subject?.id }.sorted { $0.id < $1.id }
    let peer = others.first { $0.id.namespace != policy.id.namespace } ?? others.first
    let ends = [subject, peer].map { $0.map { Endpoint.pod($0.id) } }
    return direction == .ingress
      ? shown(from: ends[1], to: ends[0], .allow) : shown(from: ends[0], to: ends[1], .allow)
  }
}
