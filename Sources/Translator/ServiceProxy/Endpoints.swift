internal import NetpolModel

/// Where a service port's packets may go.
struct Endpoint: Hashable, CustomStringConvertible {
  let address: IPAddress
  let port: UInt16
  let isReady: Bool
  let isServing: Bool
  let isTerminating: Bool
  /// On the node of the view.
  let isLocal: Bool

  /// Among entries with one address and port the highest stays.
  private var preference: Int { (isLocal ? 4 : 0) + (isReady ? 2 : isServing && isTerminating ? 1 : 0) }

  var description: String { address.description(port: port) }

  /// Those that the slices list for a port of the service, each address and port once. Which entry stays of pods that share an
  /// address is undefined ("then the result is undefined", `addEndpoints` of kube-proxy's endpoint slice cache, whose
  /// releases differ in it): here one that packets may go to, if there is any, as the API means it.
  ///
  /// In the order of their texts, as kube-proxy lists them; of their addresses where the first is always chosen.
  static func all(of port: Service.Port, _ service: Service, _ family: IPFamily, _ view: ProxyView) -> [Endpoint] {
    var byText: [String: Endpoint] = [:]
    for slice in view.slices(of: service) where slice.family == family {
      for target in slice.ports where (target.name ?? "") == (port.name ?? "") && target.transport == port.transport {
        for member in slice.members where member.address.family == family {
          let endpoint = Endpoint(
            address: member.address, port: target.port, isReady: member.isReady, isServing: member.isServing,
            isTerminating: member.isTerminating, isLocal: member.node == view.node)
          if let other = byText[endpoint.description], other.preference >= endpoint.preference { continue }
          byText[endpoint.description] = endpoint
        }
      }
    }
    switch view.endpointChoice {
    case .random: return byText.sorted { $0.key < $1.key }.map(\.value)
    case .first: return byText.values.sorted { ($0.address, $0.port) < ($1.address, $1.port) }
    }
  }
}

/// The endpoints of a port by traffic policy (`CategorizeEndpoints` of kube-proxy, without topology hints).
struct Endpoints {
  /// For traffic policy Cluster; empty where no packet is ever sent by it.
  let cluster: [Endpoint]
  /// For traffic policy Local; empty where no packet is ever sent by it.
  let local: [Endpoint]
  /// Both, each once.
  let reachable: [Endpoint]
  /// Whether the service has usable endpoints on any node, if not for this one.
  let exist: Bool

  init(all: [Endpoint], usesCluster: Bool, usesLocal: Bool) {
    let cluster = usesCluster ? Self.usable(all) : []
    let local = usesLocal ? Self.usable(all.filter(\.isLocal)) : []
    self.cluster = cluster
    self.local = local
    let reached = Set(cluster + local)
    reachable = all.filter(reached.contains)
    exist = !Self.usable(all).isEmpty
  }

  /// The ready ones; where there are none, those that still serve while they end.
  private static func usable(_ endpoints: [Endpoint]) -> [Endpoint] {
    let ready = endpoints.filter(\.isReady)
    return ready.isEmpty ? endpoints.filter { $0.isServing && $0.isTerminating } : ready
  }
}
