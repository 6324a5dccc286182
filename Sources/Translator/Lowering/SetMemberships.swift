public import NetpolModel
public import RuleIR

/// In which of a ruleset's sets a pod is, found without working out the ruleset: an index over what its sets were made
/// from (`Origin`). Sets of named ports and of ipBlocks are not in it.
public struct SetMemberships: Sendable {
  public struct Membership: Hashable, Sendable {
    public let set: SetName
    public let address: IPAddress
    /// Sets of both families may have one name.
    public var place: Place { Place(set: set, family: address.family) }
  }

  public struct Place: Hashable, Sendable {
    public let set: SetName
    public let family: IPFamily
    public init(set: SetName, family: IPFamily) {
      self.set = set
      self.family = family
    }
  }

  private struct Entry {
    let set: NamedSet
    let selector: LabelSelector
    /// The pods that a policy selects, with all their addresses; else its peers, with the first.
    let isTarget: Bool
  }
  /// By the namespace of the pods. Peers first: their sets let packets pass.
  private let entries: [String: [Entry]]

  public init(_ sets: [NamedSet], _ view: NodeView) {
    let policies = Dictionary(view.policies.map { ($0.id, $0) }) { first, _ in first }
    var peers: [String: [Entry]] = [:]
    var targets: [String: [Entry]] = [:]
    for set in sets where set.kind == .addresses && set.origin?.portName == nil {
      guard let origin = set.origin, let id = origin.policy, let direction = origin.direction,
        let policy = policies[id]
      else { continue }
      guard let rule = origin.rule else {
        targets[id.namespace, default: []].append(Entry(set: set, selector: policy.podSelector, isTarget: true))
        continue
      }
      let rules = policy.rules(direction)
      for peer in rule < rules.count ? rules[rule].peers.list : [] {
        guard case .pods(let scope, let selector) = peer else { continue }
        let namespaces =
          switch scope {
          case .own: [id.namespace]
          case .matching(let labels): view.namespaceLabels.filter { labels.matches($0.value) }.map(\.key)
          }
        for namespace in namespaces {
          peers[namespace, default: []].append(Entry(set: set, selector: selector, isTarget: false))
        }
      }
    }
    entries = peers.merging(targets) { $0 + $1 }
  }

  /// Each once. None for a pod that kube-router passes over.
  public func memberships(of pod: Pod) -> [Membership] {
    guard pod.isActionable else { return [] }
    var seen: Set<Membership> = []
    var found: [Membership] = []
    for entry in entries[pod.id.namespace] ?? [] where entry.selector.matches(pod.labels) {
      let family = entry.set.family
      let addresses =
        entry.isTarget ? pod.podIPs.filter { $0.family == family } : [pod.address(family)].compactMap { $0 }
      for address in addresses {
        let membership = Membership(set: entry.set.name, address: address)
        if seen.insert(membership).inserted { found.append(membership) }
      }
    }
    return found
  }
}
