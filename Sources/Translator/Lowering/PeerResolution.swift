internal import NetpolModel

/// Selectors to pods, over the pods that kube-router calls actionable. Equal questions are answered once.
struct PeerResolution {
  private let byNamespace: [String: [Pod]]
  private let namespaceLabels: [String: Labels]
  private var answers: [Question: [Pod]] = [:]

  private struct Question: Hashable {
    let namespace: String?
    let scope: NetworkPolicy.NamespaceScope
    let pods: LabelSelector
  }

  init(_ view: NodeView) {
    byNamespace = Dictionary(grouping: view.pods.filter(\.isActionable), by: \.id.namespace)
    namespaceLabels = view.namespaceLabels
  }

  /// Pods of `scope` as a policy in `namespace` means it, in the order of namespace and name.
  mutating func pods(_ scope: NetworkPolicy.NamespaceScope, _ selector: LabelSelector, from namespace: String) -> [Pod]
  {
    let question = Question(namespace: scope == .own ? namespace : nil, scope: scope, pods: selector)
    if let answer = answers[question] { return answer }
    let namespaces =
      switch scope {
      case .own: [namespace]
      // Only namespaces that have an object: the lister knows no other.
      case .matching(let labels): namespaceLabels.filter { labels.matches($0.value) }.keys.sorted()
      }
    let answer = namespaces.flatMap { byNamespace[$0] ?? [] }.filter { selector.matches($0.labels) }
    answers[question] = answer
    return answer
  }
}
