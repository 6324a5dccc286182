internal import Algorithms
public import NetpolModel
public import RuleIR

/// Finds the sets of a ruleset that contain a pod, without lowering again. It is an index over what the sets were made
/// from (`Origin`). It does not cover sets of named ports and of ipBlocks.
public struct SetMemberships: Sendable {
  public struct Membership: Hashable, Sendable {
    /// An index into `places`. A number, because comparing names is slow.
    public let place: Int
    public let address: IPAddress
    /// True if the pod is a peer of a rule, so the set lets its packets pass. False if it is a pod that a policy
    /// selects.
    public let isPeer: Bool
  }

  /// One set of the ruleset. Sets of the two families may have the same name.
  public struct Place: Hashable, Sendable {
    public let set: SetName
    public let family: IPFamily
    /// The index in the ruleset's list of sets.
    public let index: Int
  }

  private struct Entry {
    let place: Int
    let family: IPFamily
    let selector: LabelSelector
    /// True for the pods that a policy selects, with all their addresses. False for the peers of a rule, with their
    /// first address.
    let isTarget: Bool
  }

  public let places: [Place]
  /// By the namespace of the pods. Peers come first, because their sets let packets pass.
  private let entries: [String: [Entry]]

  public init(_ sets: [NamedSet], _ view: NodeView) {
    let policies = Dictionary(view.policies.map { ($0.id, $0) }) { first, _ in first }
    var places: [Place] = []
    var peers: [String: [Entry]] = [:]
    var targets: [String: [Entry]] = [:]
    for (index, set) in sets.enumerated() where set.kind == .addresses && set.origin?.portName == nil {
      guard let origin = set.origin, let id = origin.policy, let direction = origin.direction,
        let policy = policies[id]
      else { continue }
      let place = places.count
      places.append(Place(set: set.name, family: set.family, index: index))
      guard let rule = origin.rule else {
        targets[id.namespace, default: []].append(
          Entry(place: place, family: set.family, selector: policy.podSelector, isTarget: true))
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
          peers[namespace, default: []].append(
            Entry(place: place, family: set.family, selector: selector, isTarget: false))
        }
      }
    }
    self.places = places
    entries = peers.merging(targets) { $0 + $1 }
  }

  /// Returns each membership once. Empty for a pod that kube-router ignores.
  public func memberships(of pod: Pod) -> [Membership] {
    guard pod.isActionable else { return [] }
    var found: [Membership] = []
    for entry in entries[pod.id.namespace] ?? [] where entry.selector.matches(pod.labels) {
      for address in pod.podIPs where address.family == entry.family {
        found.append(Membership(place: entry.place, address: address, isPeer: !entry.isTarget))
        if !entry.isTarget { break }
      }
    }
    return Array(found.uniqued())
  }
}
