public import NetpolModel
internal import YAMLText

/// A changing cluster as a sequence of states. Nodes, hosts and pod addresses stay the same in all of them.
public struct ClusterSequence: Hashable, Sendable {
  /// A cluster with every pod that has a place in one of the states. The lab is built for it.
  public let places: Cluster
  /// Never empty.
  public let states: [Cluster]
  /// Short descriptions of the changes that led to each state after the first. Some or all may be missing at the end.
  public let changes: [String]

  init(places: Cluster, states: [Cluster], changes: [String]) {
    self.places = places
    self.states = states
    self.changes = changes
  }

  /// `nil` if there are no states, or if one needs a different lab than the first. Nodes, external hosts, services,
  /// settings and pod addresses may not change. A pod with the addresses of an earlier pod takes that pod's place.
  public init?(_ states: [Cluster]) {
    guard var places = states.first, states.allSatisfy({ $0.frame == places.frame }) else { return nil }
    for pod in states.dropFirst().flatMap(\.pods)
    where !pod.phase.isTerminal && !places.pods.contains(where: pod.stands) {
      if places.pods.contains(where: pod.moves(from:)) { return nil }
      places.pods.removeAll { $0.id == pod.id || pod.takesOver($0) }
      places.pods.append(pod)
    }
    places.pods.sort { $0.id < $1.id }
    self.init(places: places, states: states, changes: [])
  }

  /// The name of a state in reports, by the change that led to it. States count from 0.
  public func name(of state: Int) -> String {
    if state == 0 { return "before any change" }
    return "change \(state)" + (changes.indices.contains(state - 1) ? ", \(changes[state - 1])" : "")
  }

  /// The sequence up to and including a state. States count from 0.
  public func through(_ state: Int) -> ClusterSequence {
    ClusterSequence(
      places: places, states: Array(states.prefix(state + 1)), changes: Array(changes.prefix(state)))
  }

  /// YAML's document end marker. A single manifest never contains it.
  private static let separator = "..."

  /// The manifests of all states in order, separated by lines with `...`.
  public var text: String { states.map(\.manifest).joined(separator: "\(Self.separator)\n") }

  /// Splits such a text into its manifests.
  public static func manifests(in text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).split(separator: Substring(separator)).map {
      $0.joined(separator: "\n")
    }
  }
}

extension Cluster {
  /// The parts that may not change, as manifest text, so that source locations don't count.
  fileprivate var frame: String {
    Cluster(nodes: nodes, services: services, externalHosts: externalHosts, settings: settings).manifest
  }
}

extension Pod {
  /// Whether `other` has the place that this pod needs.
  fileprivate func stands(_ other: Pod) -> Bool {
    if other.phase.isTerminal || other.node != node || other.hostNetwork != hostNetwork { return false }
    return hostNetwork ? other.id == id : other.podIPs == podIPs
  }

  /// Whether this is the same pod as `other` in a different place.
  fileprivate func moves(from other: Pod) -> Bool {
    other.id == id && !other.phase.isTerminal && (hostNetwork || other.hostNetwork || !other.podIPs.isEmpty)
  }

  /// Whether this pod has an address of `other`, which has ended.
  fileprivate func takesOver(_ other: Pod) -> Bool {
    other.phase.isTerminal && !other.hostNetwork && !hostNetwork && !Set(other.podIPs).isDisjoint(with: podIPs)
  }
}
