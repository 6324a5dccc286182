internal import Algorithms
internal import NetpolModel
internal import Text

/// Pods and namespaces made from the selectors of policies, for input that has no pods: for each selector a pod that it
/// selects and one that differs from it in one label.
struct StandIns {
  private(set) var pods: [PodManifest] = []
  private(set) var namespaces: [Namespace] = []
  /// The first policies' selectors get the pods. Beyond this number a matrix of all flows becomes unreadable.
  static let limit = 100

  private let known: [String: Namespace]
  private let ports: NamedPorts
  private var labelsTaken: Set<Place> = []
  private var names: Set<PodID> = []
  private var omitted = 0
  /// Where the policies are whose selectors no labels match.
  private var contradictions: [SourceLocation] = []
  /// Policies with an IPv6 ipBlock.
  private let policiesWithIPv6: [String]

  private struct Place: Hashable {
    let namespace: String
    let labels: Labels
  }

  /// A selector of pods, where it applies.
  private struct Use: Hashable {
    let selector: LabelSelector
    let namespace: String
    let location: SourceLocation?
  }

  /// `known` are the namespaces of the input.
  init(_ policies: [NetworkPolicy], in known: [String: Namespace]) {
    let own = Set(policies.map(\.id.namespace)).map { Namespace(name: $0) }
    self.known = known.merging(own.map { ($0.name, $0) }) { given, _ in given }
    ports = NamedPorts(policies)
    policiesWithIPv6 = policies.filter(\.hasIPv6Block).map { "\($0.id)" }
    var uses: [Use] = []
    var strangers: [Use] = []
    for policy in policies {
      uses.append(Use(selector: policy.podSelector, namespace: policy.id.namespace, location: policy.location))
      for peer in (policy.ingress + policy.egress).flatMap(\.peers.list) {
        guard case .pods(let scope, let selector) = peer else { continue }
        switch scope {
        case .own:
          uses.append(Use(selector: selector, namespace: policy.id.namespace, location: policy.location))
        case .matching(let namespaces):
          let (like, unlike) = homes(namespaces, besides: policy.id.namespace)
          if let like { uses.append(Use(selector: selector, namespace: like, location: policy.location)) }
          if let unlike { strangers.append(Use(selector: selector, namespace: unlike, location: policy.location)) }
        }
      }
    }
    for use in uses { addLike(use) }
    for use in uses { addUnlike(use) }
    for use in strangers { addLike(use) }
    addCompany(policies)
  }

  /// What the pods are, and what they can't show. `families` are those that the pods have.
  func notes(_ policies: Int, _ families: Set<IPFamily>) -> [Note] {
    var notes = [note(policies)]
    if !contradictions.isEmpty {
      let places = contradictions.uniqued().map(\.description)
      notes.append(
        Note(.warning, "no pod can have the labels that a selector asks for, so none was made: \(places.abridged())"))
    }
    if !policiesWithIPv6.isEmpty, !families.contains(.v6) {
      notes.append(
        Note(
          .note,
          "the stand-in pods have IPv4 addresses only, so IPv6 ipBlocks are not asked: \(policiesWithIPv6.abridged()); "
            + "a Cluster document with a node's IPv6 podCIDRs gives them both"))
    }
    return notes
  }

  private func note(_ policies: Int) -> Note {
    let what =
      "no pods in the input: \(counted(pods.count, "stand-in pod")) made from the selectors of "
      + "\(counted(policies, "policy", "policies")); like-X is selected by X, unlike-X differs from it in one label"
    let named = ports.numbers.map { "\($0.key.name) \($0.key.transport.rawValue)/\($0.value)" }
    let numbers = named.isEmpty ? "" : "; named ports: \(named.abridged(to: 5))"
    let more = omitted == 0 ? "" : "; \(omitted) more are left out"
    return Note(.note, what + numbers + more)
  }

  /// A namespace that the selector matches, and one that differs from it in one label. Prefers a namespace of the input
  /// other than the policy's own.
  private mutating func homes(_ selector: LabelSelector, besides own: String) -> (like: String?, unlike: String?) {
    let all = known.values.sorted { $0.name < $1.name } + namespaces
    let given = all.first { $0.name != own && selector.matches($0.labels) }?.name
    let word = selector.isEverything ? "any-namespace" : "like-\(selector.slug)"
    let like = given ?? selector.example.flatMap { addNamespace($0, named: word, selector, isLike: true) }
    var labels = selector.counterexample
    // An invented name says less than the selector.
    if let name = labels?[Namespace.nameLabel], !selector.mentions(name, of: Namespace.nameLabel) {
      labels?[Namespace.nameLabel] = nil
    }
    let unlike = labels.flatMap { addNamespace($0, named: "unlike-\(selector.slug)", selector, isLike: false) }
    return (like, unlike)
  }

  /// `nil` if no namespace can have these labels: its name is one of them.
  private mutating func addNamespace(
    _ labels: Labels, named word: String, _ selector: LabelSelector, isLike: Bool
  ) -> String? {
    let stated = labels[Namespace.nameLabel]
    if let stated, !NameSyntax.isDNSLabel(stated) { return nil }
    let wanted = Namespace(name: stated ?? word, labels: labels)
    if let found = known[wanted.name] ?? namespaces.first(where: { $0.name == wanted.name }) {
      if selector.matches(found.labels) == isLike { return found.name }
      guard stated == nil else { return nil }
      return addNamespace(labels, named: "\(word)-2", selector, isLike: isLike)
    }
    guard selector.matches(wanted.labels) == isLike, namespaces.count < Self.limit else { return nil }
    namespaces.append(wanted)
    return wanted.name
  }

  private mutating func addLike(_ use: Use) {
    if let labels = use.selector.example {
      add(labels, named: use.selector.name("like"), use)
    } else if let location = use.location {
      contradictions.append(location)
    }
  }

  private mutating func addUnlike(_ use: Use) {
    if let labels = use.selector.counterexample { add(labels, named: use.selector.name("unlike"), use) }
  }

  /// A policy that selects everything has a pod with which its pod can speak, and one outside its namespace.
  private mutating func addCompany(_ policies: [NetworkPolicy]) {
    for policy in policies where pods.count(where: { $0.pod.id.namespace == policy.id.namespace }) == 1 {
      let use = Use(selector: .everything, namespace: policy.id.namespace, location: policy.location)
      add(["stand-in": "2"], named: "any-pod", use)
    }
    guard let first = policies.first, pods.count < Self.limit, Set(pods.map(\.pod.id.namespace)).count == 1 else {
      return
    }
    guard let other = homes(.everything, besides: first.id.namespace).like else { return }
    addLike(Use(selector: .everything, namespace: other, location: first.location))
  }

  private mutating func add(_ labels: Labels, named word: String, _ use: Use) {
    guard labelsTaken.insert(Place(namespace: use.namespace, labels: labels)).inserted else { return }
    guard pods.count < Self.limit else {
      omitted += 1
      return
    }
    var id = PodID(use.namespace, word)
    var number = 2
    while !names.insert(id).inserted {
      id = PodID(use.namespace, "\(word)-\(number)")
      number += 1
    }
    let pod = Pod(id: id, labels: labels, ports: ports.containerPorts, location: use.location)
    pods.append(PodManifest(pod, hostname: nil))
  }
}

extension LabelSelector {
  /// `like-app-web`, or `any-pod` for a selector without requirements.
  fileprivate func name(_ prefix: String) -> String { isEverything ? "any-pod" : "\(prefix)-\(slug)" }
}

extension NetworkPolicy {
  fileprivate var hasIPv6Block: Bool {
    (ingress + egress).flatMap(\.peers.list).contains { peer in
      if case .block(let block) = peer { block.cidr.family == .v6 } else { false }
    }
  }
}
