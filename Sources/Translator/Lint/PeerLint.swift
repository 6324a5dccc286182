internal import NetpolModel
internal import Path

/// Peers of rules.
extension Linter {
  func peers(_ policy: NetworkPolicy, _ place: RulePlace) -> [LintFinding] {
    place.rule.peers.list.enumerated().flatMap { number, peer in
      self.peer(peer, number, policy, place.peer(number))
    }
  }

  private func peer(
    _ peer: NetworkPolicy.Peer, _ number: Int, _ policy: NetworkPolicy, _ place: RulePlace
  ) -> [LintFinding] {
    guard case .pods(let scope, let selector) = peer, let pods = pods(peer, of: policy) else { return [] }
    if pods.isEmpty { return nobody(scope, selector, number, policy, place).map { [$0] } ?? [] }
    var findings: [LintFinding] = []
    if pods.allSatisfy(\.hostNetwork) {
      let addresses = speaking(pods, policy, place.direction).map {
        NetworkPolicy.Peer.block(.init(CIDR($0, prefixLength: $0.family.bitWidth)))
      }
      findings.append(
        LintFinding(
          .lintHostNetworkPeer, .error, policy, place,
          "selects only pods on their node's network (\(pods.map(\.id.description).abridged(to: 3))), whose packets have the "
            + "node's address",
          remedy: "name the nodes' addresses in an ipBlock, as the pods see them",
          fix: place.replacing(peer: number, of: policy, by: addresses)))
    }
    let jobs = pods.filter { $0.owner.map { ["Job", "CronJob"].contains($0.kind) } ?? false }
    if !jobs.isEmpty, jobs.count == pods.count, !selector.isEverything {
      findings.append(
        LintFinding(
          .lintJobPeer, .note, policy, place,
          "selects pods of a \(jobs[0].owner?.kind ?? "Job") alone (\(jobs.map(\.id.description).abridged(to: 2))): the first "
            + "packets of each new pod are refused until its address is in the node's sets",
          remedy: "measure how long with netpol-lab lag, retry in the job, or use an ipBlock of the pod network"))
    }
    return findings
  }

  /// The addresses that a policy sees of pods on their nodes' network. Between nodes that can be those of the tunnel.
  private func speaking(_ pods: [Pod], _ policy: NetworkPolicy, _ direction: Direction) -> [IPAddress] {
    let nodes = Set(pods.compactMap(\.node)).sorted()
    let known = cluster.nodes.filter { nodes.contains($0.name) }
    if direction == .egress { return known.flatMap(\.addresses) }
    let topology = Topology(cluster)
    let subjects = self.pods(policy.podSelector, in: policy.id.namespace).filter { !$0.hostNetwork }
    let sources = subjects.flatMap { subject in
      // A pod's own node always reaches it.
      nodes.filter { $0 != subject.node }.flatMap { node in
        cluster.families.compactMap { family in
          topology.flow(from: .node(node), to: .pod(subject.id), .echo, family)?.sourceAddress
        }
      }
    }
    return Set(sources).sorted()
  }

  /// Why a peer selects nobody. `nil` if that can't be told: the input has no pods there.
  private func nobody(
    _ scope: NetworkPolicy.NamespaceScope, _ selector: LabelSelector, _ number: Int, _ policy: NetworkPolicy,
    _ place: RulePlace
  ) -> LintFinding? {
    // `meant`: the namespaces that have what the peer asks for.
    let make = { (text: String, remedy: String, meant: [String]) in
      let peers = meant.map { name in
        NetworkPolicy.Peer.pods(
          in: .matching(LabelSelector(matchLabels: ["kubernetes.io/metadata.name": name])), matching: selector)
      }
      return LintFinding(
        .lintPeerSelectsNoPod, .warning, policy, place, text, remedy: remedy,
        fix: meant.count == 1 ? place.replacing(peer: number, of: policy, by: peers) : [])
    }
    switch scope {
    case .own:
      let own = policy.id.namespace
      if !knowsPods(of: own) || hasOccasionally(selector, in: own) { return nil }
      let elsewhere = podsIn.filter { $0.key != own && $0.value.contains { selector.matches($0.labels) } }.keys.sorted()
      if elsewhere == ["default"], unknown.contains("default") {
        return make(
          "no pod of namespace \(own) in the input matches \(selector.text); pods without a namespace do",
          "give them their namespace", [])
      }
      if !elsewhere.isEmpty {
        return make(
          "a podSelector without namespaceSelector means namespace \(own) alone, and no pod of it matches \(selector.text); pods of "
            + "\(elsewhere.abridged(to: 3)) do", "add a namespaceSelector", elsewhere)
      }
      return make("no pod of namespace \(own) in the input matches \(selector.text)", Self.labels, [])
    case .matching(let labels):
      let matching = namespaces.filter { labels.matches($0.value) }.keys.sorted()
      if matching.isEmpty {
        let named = namespaces.keys.sorted().filter { name in
          labels.requirements.contains { $0.values == [name] }
        }
        // The namespace may be one that the input leaves out, as a chart does.
        if named.isEmpty, !isWholeCluster { return nil }
        let doubt =
          unknown.isEmpty ? "" : ", as far as the input tells: it has no object of \(unknown.abridged(to: 3))"
        let hint = named.first.map { "; namespace \($0) has kubernetes.io/metadata.name=\($0)" } ?? ""
        let meant = named.filter { name in (podsIn[name] ?? []).contains { selector.matches($0.labels) } }
        return make("no namespace matches \(labels.text)\(doubt)\(hint)", "mend the labels", meant)
      }
      // Another namespace may match too, of which the input knows nothing.
      if !isWholeCluster, !labels.namesNamespaces { return nil }
      if !labels.namesNamespaces, unknown.contains(where: { !matching.contains($0) }) { return nil }
      if !matching.allSatisfy(knowsPods) || matching.contains(where: { hasOccasionally(selector, in: $0) }) {
        return nil
      }
      return make("no pod of \(matching.abridged(to: 3)) in the input matches \(selector.text)", Self.labels, [])
    }
  }

  private static let labels = "mend the labels; if its pods stand in other files, give these too"
}

extension LabelSelector {
  /// Whether it asks for namespaces by their names, so that no other one can match.
  var namesNamespaces: Bool {
    requirements.contains { $0.key == "kubernetes.io/metadata.name" && $0.operator == .in }
  }
}
