public import NetpolModel
internal import Oracle
internal import Path

/// All ends and all questions that two clusters' policies can tell apart.
///
/// An end is an address of a pod, an address of a node, or all other addresses that are in the same ipBlocks. A question
/// is a range of ports that no policy and no named port divides, or everything without ports, such as an echo request.
public struct DiffSpace: Sendable {
  /// One end. Where the two clusters give a pod different addresses, each judges its own.
  public struct End: Sendable {
    public let endpoint: Endpoint
    public let family: IPFamily
    public let old: IPAddress
    public let new: IPAddress
    /// The addresses that are alike. `nil` for a pod and a node.
    public let outside: AddressRanges?

    public func address(_ side: ComparedClusters.Side) -> IPAddress { side == .old ? old : new }
  }

  public let ends: [End]
  public let questions: [Flow.Question]
  /// By number of the question: its last port.
  private let lastPorts: [UInt16]
  /// By end: the numbers of its own node's addresses, if these are the same on both sides. They always reach it.
  let ownNodes: [Int: Bits]
  /// The ends that are pods.
  public let pods: Bits
  public let nodes: Bits
  public let outside: Bits
  let families: [IPFamily: Bits]
  /// By family: addresses between two borders all of which pods and nodes have.
  let taken: [IPFamily: AddressRanges]

  init(_ clusters: ComparedClusters) {
    let places = Places(clusters)
    var taken: [IPFamily: AddressRanges] = [:]
    var ends = places.pods + places.nodes
    let podCount = places.pods.count
    for family in IPFamily.allCases.sorted() {
      let (classes, full) = Self.outside(clusters, family, besides: Set(ends.flatMap { [$0.old, $0.new] }))
      ends += classes
      taken[family] = full
    }
    self.ends = ends
    self.taken = taken
    let count = ends.count
    pods = Bits(0..<podCount, count: count)
    nodes = Bits(podCount..<podCount + places.nodes.count, count: count)
    outside = Bits(podCount + places.nodes.count..<count, count: count)
    families = Dictionary(
      uniqueKeysWithValues: IPFamily.allCases.map { family in
        (family, Bits(ends.indices.filter { ends[$0].family == family }, count: count))
      })
    ownNodes = places.ownNodes(ends)
    let ports = PortIntervals(dividedBy: clusters.portBorders)
    let firsts = ports.representatives
    questions = firsts.map(Flow.Question.port) + [.echo]
    lastPorts =
      firsts.indices.map { number in
        let isLast = number + 1 == firsts.count || firsts[number + 1].transport != firsts[number].transport
        return isLast ? .max : firsts[number + 1].port - 1
      } + [0]
  }

  /// The ports of a question. `nil` for an echo request.
  public func ports(_ question: Int) -> (transport: Transport, range: PortRange)? {
    guard case .port(let first) = questions[question] else { return nil }
    return (first.transport, PortRange(first.port, lastPorts[question]))
  }

  /// The number of the question that a port belongs to.
  public func number(of question: Flow.Question) -> Int? {
    questions.indices.first { number in
      switch question {
      case .echo: questions[number] == .echo
      case .port(let port):
        ports(number).map { $0.transport == port.transport && $0.range.contains(port.port) } ?? false
      }
    }
  }

  /// The number of a pod's end, of a node's, or of the other addresses like this one.
  public func number(of endpoint: Endpoint, _ address: IPAddress) -> Int? {
    ends.indices.first { number in
      let end = ends[number]
      if end.outside == nil, end.endpoint == endpoint { return end.old == address || end.new == address }
      return end.outside?.contains(address) == true && self.number(ofMachine: address) == nil
    }
  }

  private func number(ofMachine address: IPAddress) -> Int? {
    ends.firstIndex { $0.outside == nil && ($0.old == address || $0.new == address) }
  }

  /// The same ranges joined where only addresses of pods and nodes are between them.
  public func closed(_ ranges: AddressRanges) -> AddressRanges {
    let touching = (taken[ranges.family]?.ranges ?? []).filter { gap in
      let (before, after) = (gap.lowerBound.subtractingReportingOverflow(1), gap.upperBound.addingReportingOverflow(1))
      let holds = { (bits: UInt128) in ranges.ranges.contains { $0.contains(bits) } }
      let isLast =
        after.overflow || IPAddress(family: ranges.family, bits: after.partialValue).bits != after.partialValue
      return (before.overflow || holds(before.partialValue)) && (isLast || holds(after.partialValue))
    }
    return ranges.union(AddressRanges(ranges.family, touching))
  }

  /// Whether no packet can be sent or no policy can stop it: the families differ, a pod sends to itself, or a node to
  /// its own pods.
  public func isUndisputed(_ source: Int, _ destination: Int) -> Bool {
    ends[source].family != ends[destination].family || source == destination
      || ownNodes[destination]?.contains(source) == true
  }

  /// Of some ends, those with which a flow can be disputed.
  func disputed(_ peers: Bits, with end: Int, _ direction: Direction) -> Bits {
    var peers = families[ends[end].family].map(peers.intersection) ?? peers
    peers.remove(end)
    switch direction {
    case .ingress: if let own = ownNodes[end] { peers.subtract(own) }
    case .egress:
      if nodes.contains(end) { for (pod, own) in ownNodes where own.contains(end) { peers.remove(pod) } }
    }
    return peers
  }

  /// The other addresses of a family by the ipBlocks that they are in, and the ranges of which nothing is left.
  private static func outside(
    _ clusters: ComparedClusters, _ family: IPFamily, besides machines: Set<IPAddress>
  ) -> ([End], AddressRanges) {
    let blocks = clusters.blocks.filter { $0.cidr.family == family }
    let owned = machines.filter { $0.family == family }.map(\.bits).sorted()
    var next = 0
    var full: [ClosedRange<UInt128>] = []
    var order: [[Int]] = []
    var classes: [[Int]: (address: IPAddress, ranges: [ClosedRange<UInt128>])] = [:]
    for range in family.ranges(between: blocks.flatMap { [$0.cidr] + $0.except }) {
      // The first address that is free.
      var free: UInt128? = range.lowerBound
      while next < owned.count, owned[next] <= range.upperBound {
        if let candidate = free, owned[next] == candidate {
          free = candidate < range.upperBound ? candidate + 1 : nil
        }
        next += 1
      }
      guard let free else {
        full.append(range)
        continue
      }
      let address = IPAddress(family: family, bits: free)
      let key = blocks.indices.filter { blocks[$0].contains(address) }
      if classes[key] == nil {
        order.append(key)
        classes[key] = (address, [])
      }
      classes[key]?.ranges.append(range)
    }
    let ends = order.compactMap { key in
      classes[key].map {
        End(
          endpoint: .address($0.address), family: family, old: $0.address, new: $0.address,
          outside: AddressRanges(family, $0.ranges))
      }
    }
    return (ends, AddressRanges(family, full))
  }
}

/// The pods and nodes of both sides.
private struct Places {
  var pods: [DiffSpace.End] = []
  var nodes: [DiffSpace.End] = []
  private let clusters: ComparedClusters
  private let ofOld: [PodID: Pod]
  private let ofNew: [PodID: Pod]

  init(_ clusters: ComparedClusters) {
    self.clusters = clusters
    let byID = { (cluster: Cluster) in Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first } }
    (ofOld, ofNew) = (byID(clusters.old), byID(clusters.new))
    let used = { (pod: Pod) in !pod.hostNetwork && !pod.phase.isTerminal }
    for pod in clusters.old.pods {
      guard let other = ofNew[pod.id], used(pod) || used(other) else { continue }
      for family in IPFamily.allCases.sorted() {
        guard let address = pod.address(family) ?? other.address(family) else { continue }
        pods.append(
          DiffSpace.End(
            endpoint: .pod(pod.id), family: family, old: address, new: other.address(family) ?? address, outside: nil))
      }
    }
    let names = clusters.old.nodes.map(\.name).sorted()
    let topologies = ComparedClusters.Side.allCases.map { Topology(clusters[$0]) }
    for name in names {
      let addresses = Set(topologies.flatMap { $0.node(name)?.localAddresses ?? [] })
      nodes += addresses.sorted().map {
        DiffSpace.End(endpoint: .node(name), family: $0.family, old: $0, new: $0, outside: nil)
      }
    }
  }

  /// By pod: the addresses of its own node, if it has the same one on both sides.
  func ownNodes(_ ends: [DiffSpace.End]) -> [Int: Bits] {
    // Where a pod joins or leaves its node's network, it speaks for the node on one side only.
    if clusters.old.pods.contains(where: { $0.hostNetwork != ofNew[$0.id]?.hostNetwork }) { return [:] }
    var addresses: [String: Bits] = [:]
    for (number, end) in ends.enumerated() {
      if case .node(let name) = end.endpoint { addresses[name, default: Bits(count: ends.count)].insert(number) }
    }
    var own: [Int: Bits] = [:]
    for (number, end) in ends.enumerated() {
      guard case .pod(let id) = end.endpoint, let node = ofOld[id]?.node, ofNew[id]?.node == node else { continue }
      own[number] = addresses[node]
    }
    return own
  }
}

extension ComparedClusters {
  fileprivate var rules: [NetworkPolicy.Rule] {
    Side.allCases.flatMap { self[$0].policies }.flatMap { $0.ingress + $0.egress }
  }

  /// Each once.
  fileprivate var blocks: [NetworkPolicy.IPBlock] {
    var seen: Set<NetworkPolicy.IPBlock> = []
    return rules.flatMap(\.peers.list).compactMap { peer in
      if case .block(let block) = peer, seen.insert(block).inserted { block } else { nil }
    }
  }

  /// The port ranges that policies name by number, and the ports that have a name which policies use.
  fileprivate var portBorders: [(transport: Transport, range: PortRange)] {
    var borders: [(transport: Transport, range: PortRange)] = []
    var names: Set<String> = []
    for port in rules.flatMap(\.ports.list) {
      switch port.number {
      case .any: break
      case .number(let first, let last): borders.append((port.transport, PortRange(first, max(first, last ?? first))))
      case .name(let name): names.insert(name)
      }
    }
    for port in Side.allCases.flatMap({ self[$0].pods }).flatMap(\.ports) where port.name.map(names.contains) == true {
      borders.append((port.transport, PortRange(port.number)))
    }
    return borders
  }
}
