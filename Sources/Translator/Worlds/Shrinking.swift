public import NetpolModel

extension Cluster {
  /// As little of the cluster as still makes `fails` true, which is asked `attempts` times at the most: no policy, rule,
  /// peer, port, pod, service, host or node that could go as well.
  public func shrunk(attempts: Int, while fails: (Cluster) -> Bool) -> Cluster {
    withoutActuallyEscaping(fails) { fails in
      var shrinking = Shrinking(self, attempts, fails)
      return shrinking.run()
    }
  }
}

private struct Shrinking {
  private var cluster: Cluster
  private var attempts: Int
  private let fails: (Cluster) -> Bool

  init(_ cluster: Cluster, _ attempts: Int, _ fails: @escaping (Cluster) -> Bool) {
    self.cluster = cluster
    self.attempts = attempts
    self.fails = fails
  }

  /// Until a whole pass takes nothing away. What is large goes first.
  mutating func run() -> Cluster {
    var before: Cluster
    repeat {
      before = cluster
      thin(\.policies)
      thinServices()
      thin(\.pods)
      thin(\.externalHosts)
      thinNodes()
      simplifySettings()
      for index in cluster.policies.indices { simplifyPolicy(index) }
      for index in cluster.pods.indices { simplifyPod(index) }
      for index in cluster.services.indices { thin(\.services[index].ports) }
      for index in cluster.externalHosts.indices { thin(\.externalHosts[index].networks) }
      thin(\.endpointSlices)
      for index in cluster.endpointSlices.indices { thin(\.endpointSlices[index].members) }
      thin(\.namespaces)
    } while cluster != before && attempts > 0
    return cluster
  }

  private mutating func attempt(_ change: (inout Cluster) -> Void) -> Bool {
    var smaller = cluster
    change(&smaller)
    guard smaller != cluster, attempts > 0 else { return false }
    attempts -= 1
    guard fails(smaller) else { return false }
    cluster = smaller
    return true
  }

  /// Leaves out all of a list, else halves, quarters and single elements.
  private mutating func thin<Element>(_ list: WritableKeyPath<Cluster, [Element]>) {
    var size = cluster[keyPath: list].count
    while size > 0 {
      var start = 0
      while start < cluster[keyPath: list].count {
        let range = start..<min(start + size, cluster[keyPath: list].count)
        if !attempt({ $0[keyPath: list].removeSubrange(range) }) { start += size }
      }
      size /= 2
    }
  }

  private mutating func thinServices() {
    for id in cluster.services.map(\.id) {
      _ = attempt { cluster in
        cluster.services.removeAll { $0.id == id }
        cluster.endpointSlices.removeAll { NamespacedName($0.id.namespace, $0.service) == id }
      }
    }
  }

  private mutating func thinNodes() {
    for name in cluster.nodes.map(\.name) {
      _ = attempt { cluster in
        cluster.nodes.removeAll { $0.name == name }
        cluster.pods.removeAll { $0.node == name }
        if cluster.settings.loadBalancerAnnouncer == name { cluster.settings.loadBalancerAnnouncer = nil }
      }
    }
    for family in IPFamily.allCases { _ = attempt { $0.drop(family) } }
  }

  private mutating func simplifySettings() {
    let usual = ClusterSettings()
    _ = attempt { $0.settings.overlay = usual.overlay }
    _ = attempt { $0.settings.bridgeNetfilter = usual.bridgeNetfilter }
    _ = attempt { $0.settings.defaultDeny = usual.defaultDeny }
    _ = attempt { $0.settings.nodePorts = usual.nodePorts }
    _ = attempt { $0.settings.loadBalancerAnnouncer = nil }
  }

  private mutating func simplifyPolicy(_ index: Int) {
    for direction in Direction.allCases { _ = attempt { $0.policies[index].isolates = [direction] } }
    _ = attempt { $0.policies[index].annotations = [:] }
    _ = attempt { $0.policies[index].podSelector = .everything }
    for direction in Direction.allCases {
      thin(\.policies[index][direction])
      for rule in cluster.policies[index][direction].indices {
        thin(\.policies[index][direction][rule].peerList)
        thin(\.policies[index][direction][rule].portList)
        for peer in cluster.policies[index][direction][rule].peerList.indices {
          thin(\.policies[index][direction][rule].peerList[peer].excepts)
          _ = attempt { $0.policies[index][direction][rule].peerList[peer].selectEverything() }
        }
      }
    }
  }

  private mutating func simplifyPod(_ index: Int) {
    thin(\.pods[index].ports)
    for key in cluster.pods[index].labels.keys.sorted() { _ = attempt { $0.pods[index].labels[key] = nil } }
    _ = attempt { $0.pods[index].phase = .running }
    _ = attempt { $0.pods[index].isReady = true }
  }
}

extension Cluster {
  /// Leaves a family out, but not the last one.
  fileprivate mutating func drop(_ family: IPFamily) {
    guard nodes.allSatisfy({ node in node.addresses.contains { $0.family != family } }) else { return }
    for index in nodes.indices {
      nodes[index].addresses.removeAll { $0.family == family }
      nodes[index].podCIDRs.removeAll { $0.family == family }
    }
    for index in pods.indices {
      pods[index].podIPs.removeAll { $0.family == family }
      pods[index].podIP = pods[index].podIPs.first
      if pods[index].hostIP?.family == family {
        pods[index].hostIP = pods[index].node.flatMap(node)?.addresses.first
      }
    }
    externalHosts.removeAll { host in host.addresses.allSatisfy { $0.family == family } }
    for index in externalHosts.indices {
      externalHosts[index].addresses.removeAll { $0.family == family }
      externalHosts[index].networks.removeAll { $0.family == family }
    }
    for index in services.indices {
      services[index].clusterIPs.removeAll { $0.family == family }
      services[index].externalIPs.removeAll { $0.family == family }
      services[index].loadBalancerIPs.removeAll { $0.address.family == family }
    }
    endpointSlices.removeAll { $0.family == family }
    settings.serviceCIDRs.removeAll { $0.family == family }
  }
}

extension NetworkPolicy {
  fileprivate subscript(direction: Direction) -> [Rule] {
    get { rules(direction) }
    set {
      switch direction {
      case .ingress: ingress = newValue
      case .egress: egress = newValue
      }
    }
  }
}

extension NetworkPolicy.Rule {
  /// Without the last one any peer is admitted.
  fileprivate var peerList: [NetworkPolicy.Peer] {
    get { peers.list }
    set { peers = newValue.isEmpty ? .any : .listed(newValue) }
  }

  fileprivate var portList: [NetworkPolicy.PortRule] {
    get { ports.list }
    set { ports = newValue.isEmpty ? .all : .listed(newValue) }
  }
}

extension NetworkPolicy.Peer {
  fileprivate var excepts: [CIDR] {
    get { if case .block(let block) = self { block.except } else { [] } }
    set {
      if case .block(var block) = self {
        block.except = newValue
        self = .block(block)
      }
    }
  }

  fileprivate mutating func selectEverything() {
    guard case .pods(let scope, _) = self else { return }
    switch scope {
    case .own: self = .pods(in: .own, matching: .everything)
    case .matching: self = .pods(in: .matching(.everything), matching: .everything)
    }
  }
}
