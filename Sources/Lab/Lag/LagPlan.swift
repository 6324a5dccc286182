internal import Comparison
internal import Evaluator
internal import Lowering
public import NetpolModel
internal import Path
internal import RuleIR

/// One stream of numbered datagrams from or to a newcomer, and what the rules before and after say of it.
public struct LagStream: Hashable, Sendable {
  public enum Change: String, Hashable, Sendable, CaseIterable {
    /// Refused until enforcers know the newcomer: the fail-closed window.
    case opens
    /// Passes until the newcomer's own rules stand: the fail-open window.
    case closes
    case staysOpen = "stays-open"
  }

  public let flow: Flow
  /// Index of the newcomer among those of the cast.
  public let newcomer: Int
  public let change: Change
  /// Whether the newcomer sends.
  public let isOutgoing: Bool
  /// What decides once everything is known: a policy and how it names its peer.
  public let decidedBy: String

  public var other: Endpoint { isOutgoing ? flow.destination : flow.source }
}

/// Which streams tell the windows of a cast, found by running both rulesets in user space.
struct LagPlan: Sendable {
  let cast: LagCast
  let streams: [LagStream]
  /// What can't be seen in this world, and why.
  let notes: [String]
  /// Nodes whose enforcers decide about a stream.
  let nodes: [String]
  /// Whom further newcomers ask; nil where nothing is refused to a newcomer that sends.
  let requestTargets: RequestTargets?
  /// Pods like the first newcomer, with addresses of their own: for requests, for each kind as many as asked for.
  let clients: [Pod]
  /// One more, for changes beside; nil where the node has no address left.
  let churner: Pod?

  /// A peer that admits newcomers by a selector, and one that admits them by an ipBlock, if there is one.
  struct RequestTargets: Sendable {
    let bySelector: Target
    let byBlock: Target?
    /// Whom a newcomer may speak to, or be spoken to by, only as long as its own rules don't stand.
    let unpoliced: [(flow: Flow, isOutgoing: Bool)]
  }

  struct Target: Sendable {
    let endpoint: Endpoint
    let address: IPAddress
    let udp: UInt16
    let tcp: UInt16?
  }

  init(_ cast: LagCast, _ style: EnforcementStyle, target: Endpoint? = nil, clients: Int = 0) throws {
    self.cast = cast
    let after = cast.after
    let topology = Topology(after)
    let old = try EnforcedCluster(cast.before, topology, style, versionStamp: "1")
    let new = try EnforcedCluster(after, topology, style, versionStamp: "2")
    let newcomers = Set(cast.newcomers.map(\.after.id))
    let ports = PortPlan(after)
    var streams: [LagStream] = []
    var notes: [String] = []
    for (index, change) in cast.newcomers.enumerated() {
      guard let place = topology.pods[change.after.id] else {
        notes.append("\(change.after.id) has no place in the lab")
        continue
      }
      let own = Endpoint.pod(change.after.id)
      let candidates = (topology.pods.keys.filter { !newcomers.contains($0) }.map(Endpoint.pod)
        + topology.externals.map { .external($0.name) })
        .filter { candidate in target.map { $0 == candidate } ?? true }
        .sorted { Self.rank($0, change.after, place, topology) < Self.rank($1, change.after, place, topology) }
      var wanted = index == 0 ? Wanted.all : Wanted.ofFurtherNewcomers
      search: for candidate in candidates {
        for isOutgoing in [true, false] {
          let (source, destination) = isOutgoing ? (own, candidate) : (candidate, own)
          for port in ports.ports(at: destination).reversed() where port.transport == .udp {
            guard let flow = change.after.podIPs.first.flatMap({ topology.flow(from: source, to: destination, port, $0.family) })
            else { continue }
            let walks = (old.walk(flow), new.walk(flow))
            guard let kind = LagStream.Change(walks.0.verdict, walks.1.verdict) else { continue }
            let admission = Admission(kind == .closes ? walks.1 : walks.1, after, at: destination)
            if kind == .staysOpen, admission.policy == nil { continue }
            guard wanted.take(kind, isOutgoing) else { continue }
            streams.append(
              LagStream(
                flow: flow, newcomer: index, change: kind, isOutgoing: isOutgoing, decidedBy: admission.text))
          }
        }
        if wanted.isEmpty { break search }
      }
    }
    self.streams = streams
    if !streams.contains(where: { $0.change == .opens }) {
      notes.append("no UDP flow of a newcomer is refused before its enforcers know it and let through afterwards")
    }
    if !streams.contains(where: { $0.change == .closes }) {
      notes.append("no UDP flow of a newcomer passes before its own rules stand and is refused afterwards")
    }
    self.notes = notes
    let ends = streams.flatMap { [$0.flow.source, $0.flow.destination] }
    nodes = Set(ends.compactMap { end in
      if case .pod(let id) = end { topology.pods[id]?.node } else { nil }
    }).sorted()

    var free = FreeAddresses(after)
    let copies = (0..<RequestTargets.clientKinds * clients + 1).compactMap { number in
      cast.newcomers.first.flatMap { free.copy(of: $0.after, named: "client-\(number)") }
    }
    churner = copies.last
    self.clients = Array(copies.dropLast())
    let verdicts = { (flow: Flow) in LagStream.Change(old.walk(flow).verdict, new.walk(flow).verdict) }
    let asked = { (change: LagStream.Change) -> Target? in
      guard let stream = streams.first(where: { $0.change == change && $0.isOutgoing && $0.newcomer == 0 }) else { return nil }
      let tcp = ports.ports(at: stream.flow.destination).reversed().first { port in
        var flow = stream.flow
        (flow.transport, flow.port) = (port.transport, port.port)
        return port.transport == .tcp && verdicts(flow) == change
      }
      return Target(
        endpoint: stream.flow.destination, address: stream.flow.destinationAddress, udp: stream.flow.port, tcp: tcp?.port)
    }
    let isNewPod = cast.newcomers.first?.before == nil
    requestTargets = isNewPod ? asked(.opens).map { target in
      RequestTargets(
        bySelector: target, byBlock: asked(.staysOpen),
        unpoliced: streams.filter { $0.change == .closes && $0.newcomer == 0 }.map { ($0.flow, $0.isOutgoing) })
    } : nil
  }

  /// The cluster's part that packets need: pods and hosts of the streams, on their nodes.
  var stage: Cluster {
    let ends = Set(streams.flatMap { [$0.flow.source, $0.flow.destination] })
    var cluster = cast.after
    cluster.pods.removeAll { !ends.contains(.pod($0.id)) }
    cluster.pods = (cluster.pods + clients).sorted { $0.id < $1.id }
    cluster.externalHosts.removeAll { !ends.contains(.external($0.name)) }
    cluster.nodes.removeAll { !nodes.contains($0.name) }
    cluster.services = []
    cluster.endpointSlices = []
    return cluster
  }

  /// Nearest first: the own node, the own namespace, then by name; hosts outside last.
  private static func rank(_ end: Endpoint, _ newcomer: Pod, _ place: Topology.PodPlace, _ topology: Topology)
    -> (Int, Int, String)
  {
    guard case .pod(let id) = end else { return (2, 0, end.description) }
    return (topology.pods[id]?.node == place.node ? 0 : 1, id.namespace == newcomer.id.namespace ? 0 : 1, end.description)
  }
}

extension LagStream.Change {
  /// Nil where nothing changes that could be measured.
  fileprivate init?(_ before: Verdict?, _ after: Verdict?) {
    switch (before, after) {
    case (.deny, .allow): self = .opens
    case (.allow, .deny): self = .closes
    case (.allow, .allow): self = .staysOpen
    default: return nil
    }
  }
}

extension LagPlan.RequestTargets {
  /// TCP and UDP, to the peer by selector and to the one by ipBlock.
  static let clientKinds = 4
}

/// Addresses of a pod's node that nobody has, the highest first.
private struct FreeAddresses {
  private let cluster: Cluster
  private var taken: Set<IPAddress>

  init(_ cluster: Cluster) {
    self.cluster = cluster
    taken = Set(cluster.pods.flatMap(\.podIPs) + cluster.nodes.flatMap(\.addresses))
  }

  /// A pod with the same labels on the same node; nil where a block has no address left.
  mutating func copy(of pod: Pod, named name: String) -> Pod? {
    let blocks = pod.node.flatMap(cluster.node)?.podCIDRs ?? []
    var addresses: [IPAddress] = []
    for family in pod.podIPs.map(\.family) {
      guard let block = blocks.first(where: { $0.family == family }) else { return nil }
      let size = min(block.family.bitWidth - block.prefixLength, 16)
      // Neither the last address nor the first two: broadcast, network, bridge.
      let candidates = (2..<max((UInt128(1) << UInt128(size)) - 1, 3)).reversed().lazy.map { block.network.advanced(by: $0) }
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

/// The streams that are still looked for.
private struct Wanted {
  private var kinds: [(change: LagStream.Change, isOutgoing: Bool)]
  static let all = Wanted(kinds: [(.opens, true), (.staysOpen, true), (.closes, true), (.opens, false), (.closes, false)])
  static let ofFurtherNewcomers = Wanted(kinds: [(.opens, true), (.closes, true)])

  var isEmpty: Bool { kinds.isEmpty }
  mutating func take(_ change: LagStream.Change, _ isOutgoing: Bool) -> Bool {
    guard let index = kinds.firstIndex(where: { $0 == (change, isOutgoing) }) else { return false }
    kinds.remove(at: index)
    return true
  }
}

/// Which policy decides about a flow at its end, and by what kind of peer.
private struct Admission {
  let policy: PolicyID?
  let text: String

  init(_ walk: EvaluatedWalk, _ cluster: Cluster, at destination: Endpoint) {
    guard walk.verdict == .allow else {
      policy = nil
      let pod = walk.deciding.last?.step.rule.origin?.pod
      text = pod.map { "the rules of \($0)" } ?? "no rule of its own"
      return
    }
    let origin = walk.deciding.compactMap(\.step.rule.origin).last {
      $0.policy != nil && $0.direction == .ingress
    }
    policy = origin?.policy
    guard let origin, let id = origin.policy, let direction = origin.direction,
      let decided = cluster.policies.first(where: { $0.id == id }), let index = origin.rule,
      index < decided.rules(direction).count
    else {
      text = "no policy"
      return
    }
    let peers = decided.rules(direction)[index].peers.list
    let named = origin.peers.compactMap { $0 < peers.count ? peers[$0] : nil }
    let kinds = Set(named.map { peer in if case .block = peer { "ipBlock" } else { "podSelector" } })
    text = "\(kinds.isEmpty ? "any peer" : kinds.sorted().joined(separator: " or ")) of \(id)"
  }
}
