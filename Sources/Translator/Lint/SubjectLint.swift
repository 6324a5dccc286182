internal import NetpolModel

/// What policies select.
extension Linter {
  func subjects(_ policy: NetworkPolicy, _ selected: [Pod]) -> [LintFinding] {
    // Nothing is known of a namespace without pods.
    guard let all = podsIn[policy.id.namespace], !all.isEmpty else { return [] }
    let place = policy.selectorLocation ?? policy.location
    if selected.isEmpty {
      if hasOccasionally(policy.podSelector, in: policy.id.namespace) { return [] }
      return [
        LintFinding(
          .lintSelectsNoPod, .warning, policy,
          "its podSelector (\(policy.podSelector.text)) selects no pod of namespace \(policy.id.namespace)",
          remedy: "mend the labels, or remove the policy", at: place)
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
    return cluster.namespaces.filter { policiesIn[$0.name] == nil }.compactMap { namespace -> LintFinding? in
      let pods = (podsIn[namespace.name] ?? []).filter { !$0.hostNetwork }
      if pods.isEmpty { return nil }
      return LintFinding(
        .lintBareNamespace, .note, object: "namespace/\(namespace.name)",
        "no policy is in it: everybody reaches its \(pods.count == 1 ? "pod" : "\(pods.count) pods"), and they reach everybody",
        remedy: "add a default-deny policy and what its pods need", at: nil
      ).shown(from: someone(besides: pods), to: .pod(pods[0].id), .allow)
    }
  }
}
