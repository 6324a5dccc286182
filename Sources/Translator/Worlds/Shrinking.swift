internal import Algorithms
public import NetpolModel

extension Cluster {
  /// Shrinks the cluster as far as `fails` stays true. Calls `fails` at most `attempts` times. Within that limit,
  /// removes every policy, rule, peer, port, pod, service, host and node that is not needed.
  public func shrunk(attempts: Int, while fails: (Cluster) -> Bool) -> Cluster {
    withoutActuallyEscaping(fails) { fails in
      var shrinking = Shrinking([self], attempts) { $0.first.map(fails) ?? false }
      return shrinking.run().first ?? self
    }
  }
}

extension ClusterSequence {
  /// Shrinks to as few states as possible, with as little in them as possible, while `fails` stays true.
  public func shrunk(attempts: Int, while fails: (ClusterSequence) -> Bool) -> ClusterSequence {
    withoutActuallyEscaping(fails) { fails in
      var shrinking = Shrinking(states, attempts) { ClusterSequence($0).map(fails) ?? false }
      let states = shrinking.run()
      return states == self.states ? self : ClusterSequence(states) ?? self
    }
  }
}

/// An object is removed from every state. An element is simplified wherever it occurs.
private struct Shrinking {
  private var states: [Cluster]
  private var attempts: Int
  private let fails: ([Cluster]) -> Bool

  init(_ states: [Cluster], _ attempts: Int, _ fails: @escaping ([Cluster]) -> Bool) {
    self.states = states
    self.attempts = attempts
    self.fails = fails
  }

  /// Repeats until a whole pass removes nothing. Tries large parts first.
  mutating func run() -> [Cluster] {
    var before: [Cluster]
    repeat {
      before = states
      thinStates()
      thin(\.policies, \.id)
      thinServices()
      thin(\.pods, \.id)
      thin(\.externalHosts, \.name)
      thinNodes()
      simplifySettings()
      for policy in all(\.policies) { simplify(policy) }
      for pod in all(\.pods) { simplify(pod) }
      for var service in all(\.services) { thin(\.services, &service, \.ports) }
      for var host in all(\.externalHosts) { thin(\.externalHosts, &host, \.networks) }
      thin(\.endpointSlices, \.id)
      for var slice in all(\.endpointSlices) { thin(\.endpointSlices, &slice, \.members) }
      thin(\.namespaces, \.name)
    } while states != before && attempts > 0
    return states
  }

  private mutating func attempt(_ smaller: [Cluster]) -> Bool {
    guard smaller != states, attempts > 0 else { return false }
    attempts -= 1
    guard fails(smaller) else { return false }
    states = smaller
    return true
  }

  /// Applies a change to every state.
  private mutating func attempt(_ change: (inout Cluster) -> Void) -> Bool {
    var smaller = states
    for index in smaller.indices { change(&smaller[index]) }
    return attempt(smaller)
  }

  /// Changes an element wherever it occurs.
  private mutating func attempt<Element: Equatable>(
    _ list: WritableKeyPath<Cluster, [Element]>, _ element: inout Element, _ change: (inout Element) -> Void
  ) -> Bool {
    let old = element
    var smaller = element
    change(&smaller)
    let isDone = attempt { cluster in
      for index in cluster[keyPath: list].indices where cluster[keyPath: list][index] == old {
        cluster[keyPath: list][index] = smaller
      }
    }
    if isDone { element = smaller }
    return isDone
  }

  /// Each distinct element of a list, over all states.
  private func all<Element: Hashable>(_ list: KeyPath<Cluster, [Element]>) -> [Element] {
    Array(states.flatMap { $0[keyPath: list] }.uniqued())
  }

  /// Keeps only the last change, or else removes every state that isn't needed.
  private mutating func thinStates() {
    for count in [1, 2] where count < states.count { if attempt(Array(states.suffix(count))) { return } }
    for index in states.indices.reversed() where states.count > 1 {
      var fewer = states
      fewer.remove(at: index)
      _ = attempt(fewer)
    }
  }

  /// Removes a whole list, or else halves, quarters and single elements.
  private mutating func thin<Element, ID: Hashable>(
    _ list: WritableKeyPath<Cluster, [Element]>, _ id: KeyPath<Element, ID>
  ) {
    var left = Array(states.flatMap { $0[keyPath: list].map { $0[keyPath: id] } }.uniqued())
    var size = left.count
    while size > 0 {
      var start = 0
      while start < left.count {
        let range = start..<min(start + size, left.count)
        let going = Set(left[range])
        if attempt({ $0[keyPath: list].removeAll { going.contains($0[keyPath: id]) } }) {
          left.removeSubrange(range)
        } else {
          start += size
        }
      }
      size /= 2
    }
  }

  private mutating func thin<Element: Equatable, Part>(
    _ list: WritableKeyPath<Cluster, [Element]>, _ element: inout Element, _ parts: WritableKeyPath<Element, [Part]>
  ) {
    var size = element[keyPath: parts].count
    while size > 0 {
      var start = 0
      while start < element[keyPath: parts].count {
        let range = start..<min(start + size, element[keyPath: parts].count)
        if !attempt(list, &element, { $0[keyPath: parts].removeSubrange(range) }) { start += size }
      }
      size /= 2
    }
  }

  private mutating func thinServices() {
    for id in all(\.services).map(\.id) {
      _ = attempt { cluster in
        cluster.services.removeAll { $0.id == id }
        cluster.endpointSlices.removeAll { NamespacedName($0.id.namespace, $0.service) == id }
      }
    }
  }

  private mutating func thinNodes() {
    for name in all(\.nodes).map(\.name) {
      _ = attempt { cluster in
        cluster.nodes.removeAll { $0.name == name }
        cluster.pods.removeAll { $0.node == name }
        if cluster.settings.loadBalancerAnnouncer == name { cluster.settings.loadBalancerAnnouncer = nil }
        for index in cluster.externalHosts.indices where cluster.externalHosts[index].routesToServices == name {
          cluster.externalHosts[index].routesToServices = nil
        }
      }
    }
    for family in IPFamily.allCases { _ = attempt { $0.drop(family) } }
  }

  private mutating func simplifySettings() {
    let usual = ClusterSettings()
    _ = attempt { $0.settings.overlay = usual.overlay }
    _ = attempt { $0.settings.bridgeNetfilter = usual.bridgeNetfilter }
    _ = attempt { $0.settings.defaultDeny = usual.defaultDeny }
    _ = attempt { $0.settings.kubeProxy = usual.kubeProxy }
    _ = attempt { $0.settings.kubeProxy.mode = usual.kubeProxy.mode }
    _ = attempt { $0.settings.hostPorts = usual.hostPorts }
    _ = attempt { $0.settings.nodePorts = usual.nodePorts }
    _ = attempt { cluster in
      for index in cluster.nodes.indices { cluster.nodes[index].labels = [:] }
    }
    _ = attempt { cluster in
      for index in cluster.externalHosts.indices { cluster.externalHosts[index].routesToServices = nil }
    }
    _ = attempt { $0.settings.loadBalancerAnnouncer = nil }
  }

  private mutating func simplify(_ policy: NetworkPolicy) {
    var policy = policy
    for direction in Direction.allCases { _ = attempt(\.policies, &policy) { $0.isolates = [direction] } }
    _ = attempt(\.policies, &policy) { $0.annotations = [:] }
    _ = attempt(\.policies, &policy) { $0.podSelector = .everything }
    for direction in Direction.allCases {
      thin(\.policies, &policy, \.[direction])
      for rule in policy[direction].indices {
        thin(\.policies, &policy, \.[direction][rule].peerList)
        thin(\.policies, &policy, \.[direction][rule].portList)
        for peer in policy[direction][rule].peerList.indices {
          thin(\.policies, &policy, \.[direction][rule].peerList[peer].excepts)
          _ = attempt(\.policies, &policy) { $0[direction][rule].peerList[peer].selectEverything() }
        }
      }
    }
  }

  private mutating func simplify(_ pod: Pod) {
    var pod = pod
    thin(\.pods, &pod, \.hostPorts)
    thin(\.pods, &pod, \.ports)
    _ = attempt(\.pods, &pod) { pod in
      for index in pod.ports.indices { pod.ports[index].isOfSidecar = false }
    }
    for key in pod.labels.keys.sorted() { _ = attempt(\.pods, &pod) { $0.labels[key] = nil } }
    _ = attempt(\.pods, &pod) { $0.phase = .running }
    _ = attempt(\.pods, &pod) { $0.isReady = true }
  }
}

extension Cluster {
  /// Removes a family, but not the last one.
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
  /// Removing the last peer means that any peer is admitted.
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
