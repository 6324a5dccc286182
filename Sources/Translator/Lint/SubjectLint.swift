internal import NetpolModel

/// What policies select.
extension Linter {
  func subjects(_ policy: NetworkPolicy, _ selected: [Pod]) -> [LintFinding] {
    let place = policy.selectorLocation ?? policy.location
    if selected.isEmpty {
      let own = policy.id.namespace
      if !knowsPods(of: own) || hasOccasionally(policy.podSelector, in: own) { return [] }
      return [
        LintFinding(
          .lintSelectsNoPod, .warning, policy,
          "its podSelector (\(policy.podSelector.text)) selects no pod of namespace \(own) in the input",
          remedy: "mend the labels; if its pods stand in other files, give these too", at: place)
      ]
    }
    let onHost = selected.filter(\.hostNetwork)
    guard !onHost.isEmpty else { return [] }
    let names = onHost.map(\.id.description).abridged(to: 3)
    let isAll = onHost.count == selected.count
    return [
      LintFinding(
        .selectsInVain, isAll ? .error : .note, policy,
        (isAll ? "all pods that it selects are" : "some of the pods that it selects are")
          + " on their node's network, where no policy applies: \(names)",
        remedy: "protect them with the node's firewall", at: place
      ).shown(from: someone(besides: onHost), to: .pod(onHost[0].id), .allow)
    ]
  }

  /// Policies of a namespace protect nothing in one that has none.
  var bareNamespaces: [LintFinding] {
    if cluster.policies.isEmpty { return [] }
    // The cluster's own pods need more than their manifests tell.
    let bare = cluster.namespaces.filter { policiesIn[$0.name] == nil && !$0.name.hasPrefix("kube-") }
    return bare.compactMap { namespace -> LintFinding? in
      if namespace.isAssumed, cluster.unseen.podsIn.contains(namespace.name) { return nil }
      let pods = (podsIn[namespace.name] ?? []).filter { !$0.hostNetwork }
      if pods.isEmpty { return nil }
      return LintFinding(
        .lintBareNamespace, .note, object: "namespace/\(namespace.name)",
        "no policy is in it: nothing of its own restricts its \(pods.count == 1 ? "pod" : "\(pods.count) pods")",
        remedy: "add a default-deny policy and what its pods need", at: pods[0].location
      ).shown(from: someone(besides: pods), to: .pod(pods[0].id), .allow)
    }
  }
}
