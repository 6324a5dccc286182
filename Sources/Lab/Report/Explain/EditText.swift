internal import NetpolModel
internal import Text

/// A unit edit in words: what to do, without a full stop.
struct EditText {
  private let cluster: Cluster

  /// `cluster`: as it is before the edit.
  init(_ cluster: Cluster) { self.cluster = cluster }

  func text(_ edit: UnitEdit) -> String {
    switch edit {
    case .addPolicy(let policy):
      let rules = Direction.allCases.flatMap { direction in
        policy.rules(direction).map { "\(direction.keyword) \(rule($0, direction))" }
      }
      return "add a policy \(policy.id) for \(pods(policy.podSelector)): \(rules.joined(separator: "; "))"
    case .removePolicy(let id): return "remove policy \(id)\(place(policy(id)?.location))"
    case .addRule(let rule, let direction, let id):
      return "add a rule to \(direction.keyword) of \(id)\(place(policy(id)?.location)): \(self.rule(rule, direction))"
    case .removeRule(let rule): return "remove \(name(rule))"
    case .addPeer(let peer, let rule):
      return "add a peer to \(name(rule)): \(self.peer(peer, in: rule.policy.namespace))"
    case .removePeer(let index, let rule):
      return "remove peer \(index) of \(name(rule, self.rule(at: rule)?.placeOfPeer(index)))"
    case .addPort(let port, let rule): return "add a port to \(name(rule)): \(port.text)"
    case .removePort(let index, let rule):
      return "remove port \(index) of \(name(rule, self.rule(at: rule)?.placeOfPort(index)))"
    case .addType(let direction, let id):
      return
        "add \(direction.rawValue) to policyTypes of \(id)\(place(policy(id)?.typesLocation ?? policy(id)?.location)), "
        + "so that its \(direction.keyword) rules are in force"
    case .removeType(let direction, let id):
      return
        "remove \(direction.rawValue) from policyTypes of \(id)\(place(policy(id)?.typesLocation ?? policy(id)?.location))"
    case .label(let owner, let key, let value?): return "set the label \(key)=\(value.cut(to: 80)) on \(owner.text)"
    case .label(let owner, let key, nil): return "remove the label \(key) from \(owner.text)"
    }
  }

  private func policy(_ id: PolicyID) -> NetworkPolicy? { cluster.policies.first { $0.id == id } }

  private func rule(at place: UnitEdit.RulePlace) -> NetworkPolicy.Rule? {
    policy(place.policy)?.rules(place.direction).dropFirst(place.index).first
  }

  /// `ingress rule 0 of shop/db (shop.yaml:12)`
  private func name(_ rule: UnitEdit.RulePlace, _ location: SourceLocation? = nil) -> String {
    "\(rule.direction.keyword) rule \(rule.index) of \(rule.policy)\(place(location ?? self.rule(at: rule)?.location))"
  }

  private func place(_ location: SourceLocation?) -> String { location.map { " (\($0))" } ?? "" }

  private func rule(_ rule: NetworkPolicy.Rule, _ direction: Direction) -> String {
    let way = direction == .ingress ? "from" : "to"
    let peers = rule.peers.list.isEmpty ? "anybody" : rule.peers.list.map { peer($0, in: nil) }.joined(separator: ", ")
    let ports = rule.ports.list.isEmpty ? "any port" : rule.ports.list.map(\.text).joined(separator: ", ")
    return "\(way) \(peers), \(ports)"
  }

  private func peer(_ peer: NetworkPolicy.Peer, in namespace: String?) -> String {
    switch peer {
    case .block(let block): "ipBlock \(block.text)"
    case .pods(.own, let selector): "\(pods(selector)) of \(namespace.map { "namespace \($0)" } ?? "its namespace")"
    case .pods(.matching(let labels), let selector):
      "\(pods(selector)) of "
        + (labels.isEverything
          ? "all namespaces"
          : labels.matchExpressions.isEmpty && labels.matchLabels.count == 1
            ? labels.matchLabels["kubernetes.io/metadata.name"].map { "namespace \($0)" }
              ?? "namespaces \(words(labels))"
            : "namespaces \(words(labels))")
    }
  }

  private func pods(_ selector: LabelSelector) -> String {
    selector.isEverything ? "all pods" : "pods \(words(selector))"
  }

  private func words(_ selector: LabelSelector) -> String {
    selector.requirements.map(\.text).joined(separator: " and ")
  }
}

extension UnitEdit.LabelOwner {
  fileprivate var text: String {
    switch self {
    case .namespace(let name): "namespace \(name)"
    case .pod(let id): "pod \(id)"
    case .workload(let namespace, let owner): "the pods of \(namespace)/\(owner.kind)/\(owner.name)"
    }
  }
}

extension NetworkPolicy.PortRule {
  /// `TCP/80`, `TCP/80-90`, `TCP/http`, `all TCP`.
  fileprivate var text: String {
    switch number {
    case .any: "all \(transport.rawValue)"
    case .number(let first, let through?): "\(transport.rawValue)/\(first)-\(through)"
    case .number(let first, nil): "\(transport.rawValue)/\(first)"
    case .name(let name): "\(transport.rawValue)/\(name)"
    }
  }
}
