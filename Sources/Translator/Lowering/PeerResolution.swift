internal import NetpolModel

/// Resolves selectors to pods, among the pods that kube-router calls actionable. Equal questions are answered from a
/// cache.
struct PeerResolution {
  private let byNamespace: [String: [Pod]]
  /// Pods by namespace and one label. Most selectors require at least one label that few pods have.
  private let byLabel: [Labelled: [Pod]]
  private let namespaceLabels: [String: Labels]
  private var answers: [Question: [Pod]] = [:]

  private struct Labelled: Hashable {
    let namespace, key, value: String
  }

  private struct Question: Hashable {
    let namespace: String?
    let scope: NetworkPolicy.NamespaceScope
    let pods: LabelSelector
  }

  init(_ view: NodeView) {
    let pods = view.pods.filter(\.isActionable)
    byNamespace = Dictionary(grouping: pods, by: \.id.namespace)
    var byLabel: [Labelled: [Pod]] = [:]
    for pod in pods {
      for (key, value) in pod.labels {
        byLabel[Labelled(namespace: pod.id.namespace, key: key, value: value), default: []].append(pod)
      }
    }
    self.byLabel = byLabel
    namespaceLabels = view.namespaceLabels
  }

  /// Returns the pods that `scope` and the selector mean in a policy of `namespace`, sorted by namespace and name.
  mutating func pods(_ scope: NetworkPolicy.NamespaceScope, _ selector: LabelSelector, from namespace: String) -> [Pod]
  {
    let question = Question(namespace: scope == .own ? namespace : nil, scope: scope, pods: selector)
    if let answer = answers[question] { return answer }
    let namespaces =
      switch scope {
      case .own: [namespace]
      // Only namespaces that have an object: kube-router's lister returns no others.
      case .matching(let labels): namespaceLabels.filter { labels.matches($0.value) }.keys.sorted()
      }
    let answer = namespaces.flatMap { candidates($0, selector) }.filter { selector.matches($0.labels) }
    answers[question] = answer
    return answer
  }

  /// Returns the shortest list of pods in the namespace that have one of the selector's labels, or all pods of the
  /// namespace if the selector requires no label.
  private func candidates(_ namespace: String, _ selector: LabelSelector) -> [Pod] {
    let labelled = selector.matchLabels.map { key, value in
      byLabel[Labelled(namespace: namespace, key: key, value: value)] ?? []
    }
    return labelled.min { $0.count < $1.count } ?? byNamespace[namespace] ?? []
  }
}
