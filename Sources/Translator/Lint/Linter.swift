public import NetpolModel

/// Looks for what policies probably don't do as their authors think, by the API objects alone. What can't be decided is
/// left out: a namespace without pods or without known labels, for example.
public struct Linter {
  let cluster: Cluster
  /// Pods that run or will run, by namespace.
  let podsIn: [String: [Pod]]
  let policiesIn: [String: [NetworkPolicy]]
  /// By name.
  let namespaces: [String: Labels]
  /// Those without one, whose labels are not known but for their name.
  let unknown: [String]
  /// Whether the input has the namespaces of a whole cluster.
  let isWholeCluster: Bool
  /// Labels of pods that there are at times: finished ones, and those of workloads, by namespace.
  private let occasional: [String: [Labels]]

  public init(_ cluster: Cluster) {
    self.cluster = cluster
    podsIn = Dictionary(grouping: cluster.pods.filter { !$0.phase.isTerminal }, by: \.id.namespace)
    policiesIn = Dictionary(grouping: cluster.policies, by: \.id.namespace)
    namespaces = Dictionary(cluster.namespaces.map { ($0.name, $0.labels) }) { first, _ in first }
    unknown = cluster.namespaces.filter(\.isAssumed).map(\.name).sorted()
    isWholeCluster = cluster.namespaces.contains { !$0.isAssumed && ["kube-system", "default"].contains($0.name) }
    let finished = cluster.pods.filter(\.phase.isTerminal).map { ($0.id.namespace, $0.labels) }
    occasional = Dictionary(grouping: finished + cluster.templates.map { ($0.namespace, $0.labels) }, by: \.0)
      .mapValues { $0.map(\.1) }
  }

  /// Most severe first, then by place.
  public var findings: [LintFinding] {
    let ofPolicies = cluster.policies.flatMap { policy -> [LintFinding] in
      let selected = pods(policy.podSelector, in: policy.id.namespace)
      return subjects(policy, selected) + types(policy, selected)
        + policy.places.flatMap { peers(policy, $0) + ports(policy, $0, selected) + blocks(policy, $0) }
    }
    return (ofPolicies + redundant + services + bareNamespaces).filter { !isIgnored($0) && isCertain($0) }.sorted {
      ($0.severity, $0.location?.file ?? "", $0.location?.line ?? 0, $0.code.rawValue, $0.part)
        < ($1.severity, $1.location?.file ?? "", $1.location?.line ?? 0, $1.code.rawValue, $1.part)
    }
  }

  /// Whether policies of other engines can't make it untrue: they may admit or refuse what a finding says is not.
  private func isCertain(_ finding: LintFinding) -> Bool {
    cluster.unseen.policyKinds.isEmpty
      || ![.lintDNSOverUDP, .lintEmptyEgress, .lintAddsNothing, .lintNodePort, .lintBareNamespace].contains(
        finding.code)
  }

  /// The annotation of a policy with codes that are not told for it, separated by commas.
  public static let annotation = "netpol-lab/ignore"

  private func isIgnored(_ finding: LintFinding) -> Bool {
    cluster.policies.contains { policy in
      policy.annotations[Self.annotation]?.split(separator: ",").contains {
        $0.filter { !$0.isWhitespace } == finding.code.rawValue
      } == true && "\(policy.id)" == finding.object
    }
  }

  /// A pod of another namespace that may send to whom it wants, or else any other pod, or else a node.
  func someone(besides pods: [Pod]) -> Endpoint? {
    let known = Set(pods.map(\.id))
    let namespaces = Set(pods.map(\.id.namespace))
    let others = podsIn.values.joined().filter { !$0.hostNetwork && !$0.podIPs.isEmpty && !known.contains($0.id) }
      .sorted { $0.id < $1.id }
    let free = others.filter { policies(isolating: $0, .egress).isEmpty }
    let best = free.first { !namespaces.contains($0.id.namespace) } ?? free.first ?? others.first
    if let best, !free.isEmpty { return .pod(best.id) }
    // A node sends to whom it wants.
    let away = cluster.nodes.first { node in !pods.contains { $0.node == node.name } }
    return away.map { .node($0.name) } ?? best.map { .pod($0.id) } ?? cluster.nodes.first.map { .node($0.name) }
  }

  /// Whether a namespace has pods with these labels at other times, or a controller of another project makes them.
  func hasOccasionally(_ selector: LabelSelector, in namespace: String) -> Bool {
    occasional[namespace]?.contains(where: selector.matches) ?? false || isOfController(selector)
  }

  /// Whether a label belongs to another project of which the input has objects: `longhorn.io/component` beside
  /// definitions of `longhorn.io`, `acme.cert-manager.io/http01-solver` beside a ClusterIssuer.
  private func isOfController(_ selector: LabelSelector) -> Bool {
    selector.requirements.contains { requirement in
      guard let domain = requirement.key.split(separator: "/").dropLast().first else { return false }
      return cluster.unseen.groups.contains { $0 == domain || domain.hasSuffix(".\($0)") || $0.hasSuffix(".\(domain)") }
    }
  }

  /// Whether the input has a namespace's pods, as far as it tells: some, and nothing from which a controller makes more.
  func knowsPods(of namespace: String) -> Bool {
    podsIn[namespace]?.isEmpty == false && !cluster.unseen.podsIn.contains(namespace)
  }

  func pods(_ selector: LabelSelector, in namespace: String) -> [Pod] {
    (podsIn[namespace] ?? []).filter { selector.matches($0.labels) }
  }

  /// The pods that a peer selects. `nil`: it is an ipBlock.
  func pods(_ peer: NetworkPolicy.Peer, of policy: NetworkPolicy) -> [Pod]? {
    guard case .pods(let scope, let selector) = peer else { return nil }
    switch scope {
    case .own: return pods(selector, in: policy.id.namespace)
    case .matching(let labels):
      let known = namespaces.filter { labels.matches($0.value) }.keys
      return known.flatMap { pods(selector, in: $0) }
    }
  }

  /// The policies in force for a pod and a direction.
  func policies(isolating pod: Pod, _ direction: Direction) -> [NetworkPolicy] {
    (policiesIn[pod.id.namespace] ?? []).filter {
      $0.isolates.contains(direction) && $0.podSelector.matches(pod.labels)
    }
  }
}

extension LabelSelector {
  /// `app=web`, or `everything`.
  var text: String { requirements.isEmpty ? "everything" : requirements.map(\.text).joined(separator: ", ") }
}
