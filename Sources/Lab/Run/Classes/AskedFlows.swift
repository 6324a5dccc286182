package import NetpolModel
package import Path
package import Verdicts

/// Which flows of a cluster are asked about: senders, receivers, and the ports at each receiver. The flows themselves
/// are
/// made later, class by class.
package struct AskedFlows {
  let senders: [Endpoint]
  let receivers: [Endpoint]
  /// Services and the addresses that are announced for them.
  let services: [Endpoint]
  private let portPlan: PortPlan
  private let cluster: Cluster
  private let asked: [AskedPort]?
  private let topology: Topology
  /// Rows and columns: pods by name, then nodes, then external hosts.
  let endpoints: [Endpoint]

  package init(_ cluster: Cluster, _ topology: Topology, only: ProbePlan.Selection) {
    self.cluster = cluster
    self.topology = topology
    portPlan = PortPlan(cluster)
    asked = only.ports
    let pods = cluster.pods.map(\.id).filter { topology.pods[$0] != nil || topology.hostNetworkPods[$0] != nil }
    endpoints =
      pods.map(Endpoint.pod) + topology.nodes.map { .node($0.name) } + topology.externals.map { .external($0.name) }
    let (sources, destinations) = (only.sources.map(Set.init), only.destinations.map(Set.init))
    senders = endpoints.filter { sources?.contains($0) ?? true }
    receivers = endpoints.filter { destinations?.contains($0) ?? true }
    services = cluster.services.flatMap { service -> [Endpoint] in
      (service.clusterIPs.isEmpty ? [] : [.service(service.id)])
        + service.translatedAddresses.map { .virtualAddress(service.id, $0) }
    }.filter { destinations?.contains($0) ?? true }
  }

  func questions(at destination: Endpoint) -> [Flow.Question] {
    if let asked {
      var seen: Set<Flow.Question> = []
      return asked.flatMap { cluster.questions($0, at: destination) }.filter { seen.insert($0).inserted }
    }
    return portPlan.ports(at: destination).map(Flow.Question.port)
  }

  /// Whether there are more flows than that, roughly: a service counts once for each of its endpoints.
  func exceeds(_ limit: Int, _ cluster: Cluster) -> Bool {
    var count = 0
    for receiver in receivers {
      count += questions(at: receiver).count * senders.count * cluster.families.count
      if count > limit { return true }
    }
    for service in services {
      let id: NamespacedName? =
        switch service {
        case .service(let id), .virtualAddress(let id, _): id
        case .pod, .node, .external, .address: nil
        }
      let members = id.map { cluster.slices(of: $0).reduce(0) { $0 + $1.members.count } } ?? 1
      count += questions(at: service).count * senders.count * max(members, 1)
      if count > limit { return true }
    }
    return false
  }

  /// Whether pings are sent too. They are no flows of the plan: no policy speaks of them.
  var asksEcho: Bool { asked == nil }

  /// Whether a host outside is asked about a service: few have a route to ClusterIPs.
  func isAsked(_ source: Endpoint, ofService destination: Endpoint) -> Bool {
    guard case .external(let name) = source else { return true }
    guard case .service = destination else { return true }
    return topology.externals.first { $0.name == name }?.routesToServices != nil
  }
}
