internal import NetpolModel

/// Selectors to pods, over the pods that kube-router calls actionable. Equal questions are answered once.
struct PeerResolution {
  private let byNamespace: [String: [Pod]]
  /// By namespace and one label of several: most selectors ask for a label that few pods have.
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
    let answer = namespaces.flatMap { candidates($0, selector) }.filter { selector.matches($0.labels) }
    answers[question] = answer
    return answer
  }

  /// Of a namespace: the fewest pods that have one of the labels that the selector wants; all where it wants none.
  private func candidates(_ namespace: String, _ selector: LabelSelector) -> [Pod] {
    let labelled = selector.matchLabels.map { key, value in
      byLabel[Labelled(namespace: namespace, key: key, value: value)] ?? []
    }
    return labelled.min { $0.count < $1.count } ?? byNamespace[namespace] ?? []
  }
}
