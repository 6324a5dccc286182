internal import Lowering
internal import NetpolModel

/// The streams that show the windows, and the pods that make requests beside them.
struct LagPlan: Sendable {
  let actors: LagActors
  private(set) var streams: [LagStream]
  /// What can't be measured in this world, and why.
  let notes: [String]
  /// Nodes whose enforcers decide about a stream.
  let nodes: [String]
  /// The peers that receive requests. `nil` if nothing that a newcomer sends is refused at first.
  let requestTargets: RequestTargets?
  /// Streams from or to the first newcomer that pass only until its own rules are in place, with their ports.
  let unpoliced: [(stream: LagStream, ports: Ports)]
  /// Pods like the first newcomer, with addresses of their own, that make requests: as many for each kind of request as
  /// the options ask for.
  let clients: [Pod]
  /// One more such pod, which churn adds and removes. `nil` if the node has no address left.
  let churner: Pod?

  /// A peer that admits newcomers by a selector, and one that admits them by an ipBlock, if there is one.
  struct RequestTargets: Sendable {
    let bySelector: Target
    let byBlock: Target?
    /// Kinds of requests: TCP and UDP, each to the peer by selector and to the one by ipBlock.
    static let clientKinds = 4
  }

  struct Target: Sendable {
    let endpoint: Endpoint
    let address: IPAddress
    let ports: Ports
  }

  /// Ports of flows with the same outcome. `nil` if there is none over that transport.
  struct Ports: Sendable {
    let udp: UInt16?
    let tcp: UInt16?
  }

  init(_ actors: LagActors, _ style: EnforcementStyle, target: Endpoint? = nil, clients: Int = 0) throws {
    self.actors = actors
    let search = try StreamSearch(actors, style, target: target)
    let streams = actors.newcomers.indices.flatMap(search.streams)
    self.streams = streams
    var notes: [String] = []
    if !streams.contains(where: { $0.change == .opens }) {
      notes.append(
        "no UDP or TCP flow of the new pod is refused before the rules include it and allowed afterwards")
    }
    if !streams.contains(where: { $0.change == .closes }) {
      notes.append(
        "no UDP or TCP flow of the new pod is allowed before its own rules are in place and refused afterwards")
    }
    self.notes = notes
    let ends = streams.flatMap { [$0.flow.source, $0.flow.destination] }
    nodes = Set(ends.compactMap(search.node)).sorted()

    var free = FreeAddresses(actors.after)
    var copies: [Pod] = []
    if let newcomer = actors.newcomers.first?.after {
      for number in 0...RequestTargets.clientKinds * clients {
        guard let copy = free.copy(of: newcomer, named: "client-\(number)") else { break }
        copies.append(copy)
      }
    }
    churner = copies.popLast()
    self.clients = copies
    unpoliced = streams.filter { $0.change == .closes && $0.newcomer == 0 }.map { ($0, search.ports(like: $0)) }
    requestTargets = actors.newcomers.first?.before == nil ? RequestTargets(streams, search) : nil
  }

  /// The plan with at most this many streams: those of the first newcomer always, then of the last one, and of others at
  /// even distances.
  func sampling(_ most: Int) -> LagPlan {
    var numbers = actors.newcomers.indices.filter { number in streams.contains { $0.newcomer == number } }
    let all = numbers
    let count = { (numbers: [Int]) in streams.count { numbers.contains($0.newcomer) } }
    while numbers.count > 1, count(numbers) > most {
      let kept = numbers.count - 1
      numbers = kept == 1 ? [all[0]] : (0..<kept).map { all[$0 * (all.count - 1) / (kept - 1)] }
    }
    var plan = self
    plan.streams = streams.filter { numbers.contains($0.newcomer) }
    return plan
  }

  var watchedNewcomers: Int { Set(streams.map(\.newcomer)).count }

  /// The part of the cluster that packets need: the pods and hosts of the streams, and their nodes.
  var stage: Cluster {
    let ends = Set(streams.flatMap { [$0.flow.source, $0.flow.destination] })
    var cluster = actors.after
    cluster.pods.removeAll { !ends.contains(.pod($0.id)) }
    cluster.pods = (cluster.pods + clients).sorted { $0.id < $1.id }
    cluster.externalHosts.removeAll { !ends.contains(.external($0.name)) }
    cluster.nodes.removeAll { !nodes.contains($0.name) }
    cluster.services = []
    cluster.endpointSlices = []
    return cluster
  }
}

extension LagPlan.RequestTargets {
  /// `nil` if no peer refuses newcomers at first.
  fileprivate init?(_ streams: [LagStream], _ search: StreamSearch) {
    let own = streams.filter { $0.newcomer == 0 }
    let target = { (change: LagStream.Change) in
      own.first { $0.change == change && $0.isOutgoing }.map { stream in
        LagPlan.Target(
          endpoint: stream.flow.destination, address: stream.flow.destinationAddress,
          ports: search.ports(like: stream))
      }
    }
    guard let bySelector = target(.opens) else { return nil }
    self.bySelector = bySelector
    byBlock = target(.staysOpen)
  }
}

/// Unused addresses of a pod's node, highest first.
private struct FreeAddresses {
  private let cluster: Cluster
  private var taken: Set<IPAddress>

  init(_ cluster: Cluster) {
    self.cluster = cluster
    taken = Set(cluster.pods.flatMap(\.podIPs) + cluster.nodes.flatMap(\.addresses))
  }

  /// Returns a pod with the same labels on the same node, or `nil` if a block has no address left.
  mutating func copy(of pod: Pod, named name: String) -> Pod? {
    let blocks = pod.node.flatMap(cluster.node)?.podCIDRs ?? []
    var addresses: [IPAddress] = []
    for family in pod.podIPs.map(\.family) {
      guard let block = blocks.first(where: { $0.family == family }) else { return nil }
      let size = min(block.family.bitWidth - block.prefixLength, 16)
      // Leaves out the last address and the first two: broadcast, network, bridge.
      let candidates = (2..<max((UInt128(1) << UInt128(size)) - 1, 3)).reversed().lazy.map {
        block.network.advanced(by: $0)
      }
      guard let address = candidates.first(where: { !taken.contains($0) && block.contains($0) }) else { return nil }
      taken.insert(address)
      addresses.append(address)
    }
    var copy = pod
    copy.id = PodID(pod.id.namespace, "\(pod.id.name)-\(name)")
    copy.podIPs = addresses
    copy.podIP = addresses.first
    return copy
  }
}
