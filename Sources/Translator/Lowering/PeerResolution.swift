internal import NetpolModel

/// Resolves selectors to pods, among the pods that kube-router calls actionable. Equal questions are answered from a
/// cache.
struct PeerResolution {
  private let byNamespace: [String: [Pod]]
  /// Pods by namespace and one label, of namespaces that were asked about. Most selectors require at least one label that few pods have.
  private var byLabel: [String: [Label: [Pod]]] = [:]
  /// By namespace: how often.
  private var asked: [String: Int] = [:]
  private let namespaceLabels: [String: Labels]
  private var answers: [Question: [Pod]] = [:]

  private struct Label: Hashable {
    let key, value: String
  }

  private struct Question: Hashable {
    let namespace: String?
    let scope: NetworkPolicy.NamespaceScope
    let pods: LabelSelector
  }

  init(_ view: NodeView) {
    let pods = view.pods.filter(\.isActionable)
    byNamespace = Dictionary(grouping: pods, by: \.id.namespace)
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
    var answer: [Pod] = []
    for namespace in namespaces { answer += candidates(namespace, selector).filter { selector.matches($0.labels) } }
    answers[question] = answer
    return answer
  }

  /// Returns the shortest list of pods in the namespace that have one of the selector's labels, or all pods of the
  /// namespace if the selector requires no label.
  private mutating func candidates(_ namespace: String, _ selector: LabelSelector) -> [Pod] {
    let own = byNamespace[namespace] ?? []
    asked[namespace, default: 0] += 1
    // For a few questions an index takes longer than it saves.
    if selector.matchLabels.isEmpty || asked[namespace, default: 0] < 4 { return own }
    let labelled = byLabel[namespace] ?? Self.labelled(own)
    byLabel[namespace] = labelled
    return selector.matchLabels.map { key, value in labelled[Label(key: key, value: value)] ?? [] }
      .min { $0.count < $1.count } ?? own
  }

  private static func labelled(_ pods: [Pod]) -> [Label: [Pod]] {
    var labelled: [Label: [Pod]] = [:]
    for pod in pods {
      for (key, value) in pod.labels { labelled[Label(key: key, value: value), default: []].append(pod) }
    }
    return labelled
  }
}
