import Manifests
import NetpolModel
import Path
import Verdicts

extension ProbePlan.Selection {
  /// The flows that a command line names. `to` without ports means the ports that matter there. Throws `InputError` if
  /// the cluster has no such endpoint or port.
  init(
    from: EndpointReference?, to: EndpointReference?, _ ports: [AskedPort], group: IPAddress? = nil,
    in cluster: Cluster, options: (from: String, to: String, port: String) = ("--from", "--to", "--port")
  ) throws {
    self.init()
    let names = EndpointNames(cluster)
    sources = try from.map { try Self.senders($0, names, options.from) }
    // The ports of a node answer on its loopback addresses too.
    let fromNodes = (sources ?? []).allSatisfy(cluster.isOnNodeNetwork)
    destinations = try to.map { try names.endpoints($0, option: options.to, allowsLoopback: fromNodes) }
    sourceAddress = from?.address
    destinationAddress = group ?? to?.address
    if !ports.isEmpty {
      try cluster.requirePorts(ports, at: destinations, option: options.port)
      self.ports = ports
    }
  }

  /// Throws `InputError` for an endpoint that sends nothing.
  private static func senders(
    _ reference: EndpointReference, _ names: EndpointNames, _ option: String
  ) throws -> [Endpoint] {
    let endpoints = try names.endpoints(reference, option: option)
    switch endpoints.first {
    case .service, .virtualAddress:
      throw InputError("\(option) \(reference): a Service sends no packets; name the pods or the workload behind it")
    case .pod, .node, .external, .address, nil: return endpoints
    }
  }
}

extension Cluster {
  /// Whether the endpoint uses its node's network: the node itself, or a host-network pod.
  fileprivate func isOnNodeNetwork(_ endpoint: Endpoint) -> Bool {
    switch endpoint {
    case .node: true
    case .pod(let id): pod(id)?.hostNetwork == true
    case .external, .service, .virtualAddress, .address: false
    }
  }
}

extension Cluster {
  /// What a run assumes about free addresses of pod CIDRs that were asked about.
  func strangerNotes(besides others: [Cluster]) -> [String] {
    let strangers = others.reduce(strangers) { $0.merging($1.strangers) { first, _ in first } }
    return strangers.sorted { $0.key < $1.key }.map { address, node in
      "\(address) belongs to no running pod: treated as a new pod on \(node) that no node and no policy knows yet"
    }
  }
}

extension [ExternalHost] {
  /// What is doubtful about hosts made for questions, if the service CIDRs are only implied: an address near a service
  /// CIDR may be a ClusterIP that the input doesn't have, such as that of default/kubernetes. Near means the default
  /// range of kubeadm, a /12, or an IPv6 /64.
  func doubts(in cluster: Cluster) -> [String] {
    let near = flatMap(\.addresses).filter { address in
      cluster.settings.serviceCIDRs.contains { cidr in
        cidr.family == address.family
          && CIDR(cidr.network, prefixLength: address.family == .v4 ? 12 : 64).contains(address)
      }
    }
    if near.isEmpty { return [] }
    return [
      "\(near.map(\.description).abridged()) may be a ClusterIP: the service CIDRs are only implied by the Services of the "
        + "input; add the missing Service, or give serviceCIDRs in a Cluster document"
    ]
  }

  /// What a run assumes about addresses that belong to no object.
  var assumptions: [String] {
    [false, true].compactMap { routesToPods in
      let names = filter { $0.routesToPods == routesToPods }.map(\.name)
      if names.isEmpty { return nil }
      let what = names.count == 1 ? "belongs to no object: treated as a host" : "belong to no object: treated as hosts"
      return "\(names.abridged(to: 5)) \(what) outside the cluster" + (routesToPods ? ", with routes to the pods" : "")
    }
  }
}

/// What a report says besides its answers, which is also said on standard error.
struct Remarks {
  let notes: [String]
  let warnings: [String]

  /// `asked`: hosts made for questions about addresses. `others`: further clusters that are asked about.
  init(_ reading: ManifestReading, _ cluster: Cluster, asked: [ExternalHost], others: [Cluster] = []) {
    let assumptions = asked.assumptions + cluster.strangerNotes(besides: others)
    let doubts = reading.impliesServiceCIDRs ? asked.doubts(in: cluster) : []
    for assumption in assumptions { Terminal.say("note: \(assumption)") }
    for doubt in doubts { Terminal.say("warning: \(doubt)") }
    // The reading's own were said when it was read.
    notes = reading.notes.filter { $0.severity == .note }.map(\.text) + assumptions
    warnings = reading.notes.filter { $0.severity == .warning }.map(\.text) + doubts
  }
}
