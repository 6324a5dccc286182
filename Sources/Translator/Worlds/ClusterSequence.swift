public import NetpolModel

/// A cluster that changes: its states one after the other, while everybody stays in his place.
public struct ClusterSequence: Hashable, Sendable {
  /// With everybody who has a place in some state: what a lab is built for.
  public let places: Cluster
  /// At least one.
  public let states: [Cluster]
  /// What made each state but the first, in a few words; fewer where nobody says so.
  public let changes: [String]

  init(places: Cluster, states: [Cluster], changes: [String]) {
    self.places = places
    self.states = states
    self.changes = changes
  }

  /// Nil where there is no state, or where one needs another lab than the first: nodes, hosts outside, services, settings
  /// and pods' addresses stay. A pod with the addresses of an earlier one has that one's place.
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

  /// What is wrong with a change's state, from 0, is wrong behind this.
  public func name(of state: Int) -> String {
    if state == 0 { return "before any change" }
    return "change \(state)" + (changes.indices.contains(state - 1) ? ", \(changes[state - 1])" : "")
  }

  /// Up to a state, from 0.
  public func through(_ state: Int) -> ClusterSequence {
    ClusterSequence(
      places: places, states: Array(states.prefix(state + 1)), changes: Array(changes.prefix(state)))
  }

  /// YAML's end of a document, which a single manifest does not have.
  private static let separator = "..."

  /// The manifests of all states in their order, a line with `...` between two of them.
  public var text: String { states.map(\.manifest).joined(separator: "\(Self.separator)\n") }

  /// The manifests that a text like that holds.
  public static func manifests(in text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).split(separator: Substring(separator)).map {
      $0.joined(separator: "\n")
    }
  }
}

extension Cluster {
  /// What stays, as manifests: wherever they stand.
  fileprivate var frame: String {
    Cluster(nodes: nodes, services: services, externalHosts: externalHosts, settings: settings).manifest
  }
}

extension Pod {
  /// Whether it needs no other place than that of a pod that is there.
  fileprivate func stands(_ other: Pod) -> Bool {
    if other.phase.isTerminal || other.node != node || other.hostNetwork != hostNetwork { return false }
    return hostNetwork ? other.id == id : other.podIPs == podIPs
  }

  /// Whether it is that pod elsewhere.
  fileprivate func moves(from other: Pod) -> Bool {
    other.id == id && !other.phase.isTerminal && (hostNetwork || other.hostNetwork || !other.podIPs.isEmpty)
  }

  /// Whether it has an address of one who has ended.
  fileprivate func takesOver(_ other: Pod) -> Bool {
    other.phase.isTerminal && !other.hostNetwork && !hostNetwork && !Set(other.podIPs).isDisjoint(with: podIPs)
  }
}
