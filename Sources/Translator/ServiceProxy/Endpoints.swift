internal import NetpolModel

/// An address and port that a service port's packets may go to.
struct Endpoint: Hashable, CustomStringConvertible {
  let address: IPAddress
  let port: UInt16
  let isReady: Bool
  let isServing: Bool
  let isTerminating: Bool
  /// Whether it is on the view's node.
  let isLocal: Bool
  let nodeHints: Set<String>
  let zoneHints: Set<String>

  /// Of the entries with the same address and port, the one with the highest preference stays.
  private var preference: Int { (isLocal ? 4 : 0) + (isReady ? 2 : isServing && isTerminating ? 1 : 0) }

  var description: String { address.description(port: port) }

  /// Returns the endpoints that the slices list for a port of the service, each address and port once. If pods share an
  /// address, it is undefined which entry stays ("then the result is undefined", `addEndpoints` of kube-proxy's
  /// endpoint slice cache; its releases differ). Here an entry that packets may go to stays, if there is one, as the
  /// API means it.
  ///
  /// Sorted by text, as kube-proxy lists them.
  static func all(of port: Service.Port, _ service: Service, _ family: IPFamily, _ view: ProxyView) -> [Endpoint] {
    var byText: [String: Endpoint] = [:]
    for slice in view.slices(of: service) where slice.family == family {
      for target in slice.ports where (target.name ?? "") == (port.name ?? "") && target.transport == port.transport {
        for member in slice.members where member.address.family == family {
          let endpoint = Endpoint(
            address: member.address, port: target.port, isReady: member.isReady, isServing: member.isServing,
            isTerminating: member.isTerminating, isLocal: member.node == view.node,
            nodeHints: member.nodeHints, zoneHints: member.zoneHints)
          if let other = byText[endpoint.description], other.preference >= endpoint.preference { continue }
          byText[endpoint.description] = endpoint
        }
      }
    }
    return byText.sorted { $0.key < $1.key }.map(\.value)
  }
}

/// Which hints restrict traffic policy Cluster on a node (`topologyModeFromHints` of kube-proxy's pkg/proxy/topology.go,
/// 1.34 and later; 1.31 to 1.33 know only zones).
enum TopologyMode: Hashable {
  case node(String)
  case zone(String)

  /// All or nothing: a mode needs a hint on every ready endpoint, and one that names this node or zone. `nil`: every
  /// endpoint counts.
  init?(among endpoints: [Endpoint], _ view: ProxyView) {
    let ready = endpoints.filter(\.isReady)
    let modes = [TopologyMode.node(view.node)] + (view.zone.map { [.zone($0)] } ?? [])
    let applicable = modes.first { mode in
      ready.allSatisfy { !mode.hints(of: $0).isEmpty } && ready.contains(where: mode.admits)
    }
    guard let applicable else { return nil }
    self = applicable
  }

  func admits(_ endpoint: Endpoint) -> Bool {
    switch self {
    case .node(let name), .zone(let name): hints(of: endpoint).contains(name)
    }
  }

  private func hints(of endpoint: Endpoint) -> Set<String> {
    switch self {
    case .node: endpoint.nodeHints
    case .zone: endpoint.zoneHints
    }
  }
}

/// The endpoints of a port by traffic policy (`CategorizeEndpoints` of kube-proxy).
struct Endpoints {
  /// For traffic policy Cluster. Empty if this policy is never used.
  let cluster: [Endpoint]
  /// For traffic policy Local. Empty if this policy is never used.
  let local: [Endpoint]
  /// The endpoints of both, each once.
  let reachable: [Endpoint]
  /// Whether the service has usable endpoints on any node, even if this node may use none of them.
  let exist: Bool

  /// `mode` only restricts the ready endpoints for traffic policy Cluster, and always leaves one.
  init(all: [Endpoint], _ mode: TopologyMode?, usesCluster: Bool, usesLocal: Bool) {
    let preferred = mode.map { mode in all.filter { $0.isReady && mode.admits($0) } } ?? all
    let cluster = usesCluster ? Self.usable(preferred) : []
    let local = usesLocal ? Self.usable(all.filter(\.isLocal)) : []
    self.cluster = cluster
    self.local = local
    let reached = Set(cluster + local)
    reachable = all.filter(reached.contains)
    exist = !Self.usable(all).isEmpty
  }

  /// Returns the ready endpoints. If there are none, returns those that still serve while they terminate.
  private static func usable(_ endpoints: [Endpoint]) -> [Endpoint] {
    let ready = endpoints.filter(\.isReady)
    return ready.isEmpty ? endpoints.filter { $0.isServing && $0.isTerminating } : ready
  }
}
