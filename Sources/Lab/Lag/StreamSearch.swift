internal import Enforcement
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path
internal import Verdicts

/// Finds streams whose outcome changes with a newcomer, by evaluating the rules before and after in user space.
struct StreamSearch {
  private let actors: LagActors
  private let after: Cluster
  private let topology: Topology
  private let old: EnforcedCluster
  private let new: EnforcedCluster
  private let ports: PortPlan
  private let oracle, earlier: Oracle
  private let target: Endpoint?

  init(_ actors: LagActors, _ style: EnforcementStyle, target: Endpoint?) throws {
    self.actors = actors
    self.target = target
    after = actors.after
    topology = Topology(after)
    old = try EnforcedCluster(actors.before, topology, style, versionStamp: "1")
    new = try EnforcedCluster(after, topology, style, versionStamp: "2")
    ports = PortPlan(after)
    oracle = Oracle(after)
    earlier = Oracle(actors.before)
  }

  func node(of end: Endpoint) -> String? {
    if case .pod(let id) = end { topology.pods[id]?.node } else { nil }
  }

  /// Returns one stream of each wanted kind, to the nearest peer. Uses TCP for a kind that has none over UDP.
  func streams(ofNewcomer index: Int) -> [LagStream] {
    let newcomer = actors.newcomers[index].after
    guard topology.pods[newcomer.id] != nil, let family = newcomer.podIPs.first?.family else { return [] }
    let own = Endpoint.pod(newcomer.id)
    var wanted = index == 0 ? Wanted.all : Wanted.ofFurtherNewcomers
    var found: [LagStream] = []
    let peers = candidates(for: newcomer)
    for transport in [Transport.udp, .tcp] {
      for candidate in peers {
        if wanted.isEmpty { return found }
        for isOutgoing in [true, false] {
          let (source, destination) = isOutgoing ? (own, candidate) : (candidate, own)
          for port in ports.ports(at: destination).reversed() where port.transport == transport {
            guard let flow = topology.flow(from: source, to: destination, port, family), let change = change(of: flow)
            else { continue }
            // If the flow was admitted before the newcomer was included, no selector did it.
            let admission = Admission(flow, change == .staysOpen ? earlier : oracle, after)
            // Streams that no policy decides show nothing.
            if change == .staysOpen, admission.policy == nil { continue }
            if wanted.take(change, isOutgoing) {
              found.append(
                LagStream(
                  flow: flow, newcomer: index, change: change, isOutgoing: isOutgoing, decidedBy: admission.text))
            }
          }
        }
      }
    }
    return found
  }

  /// The ports of the same peer with the same outcome: the stream's own, and one of the other transport.
  func ports(like stream: LagStream) -> LagPlan.Ports {
    LagPlan.Ports(udp: port(.udp, like: stream), tcp: port(.tcp, like: stream))
  }

  private func port(_ transport: Transport, like stream: LagStream) -> UInt16? {
    if stream.flow.transport == transport { return stream.flow.port }
    return ports.ports(at: stream.flow.destination).reversed().first { port in
      var flow = stream.flow
      flow.question = .port(port)
      return port.transport == transport && change(of: flow) == stream.change
    }?.port
  }

  /// Returns `nil` if there is no change that can be measured.
  private func change(of flow: Flow) -> LagStream.Change? {
    let before = old.verdict(of: flow)
    let after = new.verdict(of: flow)
    if before == .allow { return after == .allow ? .staysOpen : after == .deny ? .closes : nil }
    return before == .deny && after == .allow ? .opens : nil
  }

  /// Pods on the same node come first, then those of the same namespace, then by name. External hosts come last.
  private func candidates(for newcomer: Pod) -> [Endpoint] {
    let newcomers = Set(actors.newcomers.map(\.after.id))
    let pods = topology.pods.keys.filter { !newcomers.contains($0) }.sorted { rank($0, newcomer) < rank($1, newcomer) }
    let all = pods.map(Endpoint.pod) + topology.externals.map { .external($0.name) }
    guard let target else { return all }
    return all.filter { $0 == target }
  }

  private func rank(_ pod: PodID, _ newcomer: Pod) -> (Int, Int, String) {
    (
      topology.pods[pod]?.node == newcomer.node ? 0 : 1, pod.namespace == newcomer.id.namespace ? 0 : 1, pod.description
    )
  }
}

/// The kinds of streams that are still wanted.
private struct Wanted {
  private var kinds: [(change: LagStream.Change, isOutgoing: Bool)]
  private init(_ kinds: [(LagStream.Change, Bool)]) { self.kinds = kinds }

  static let all = Wanted([(.opens, true), (.staysOpen, true), (.closes, true), (.opens, false), (.closes, false)])
  static let ofFurtherNewcomers = Wanted([(.opens, true), (.closes, true)])

  var isEmpty: Bool { kinds.isEmpty }
  mutating func take(_ change: LagStream.Change, _ isOutgoing: Bool) -> Bool {
    guard let index = kinds.firstIndex(where: { $0 == (change, isOutgoing) }) else { return false }
    kinds.remove(at: index)
    return true
  }
}

/// Which policy admits a flow at its destination, and by what kind of peer, according to the specification.
private struct Admission {
  let policy: PolicyID?
  let text: String

  init(_ flow: Flow, _ oracle: Oracle, _ cluster: Cluster) {
    let judgement = oracle.judge(flow)
    guard judgement.verdict == .allow else {
      policy = nil
      text = "no policy allows it"
      return
    }
    for case .admitted(.ingress, by: let id, rule: let rule, peer: let index) in judgement.because {
      policy = id
      let peers = cluster.policies.first { $0.id == id }.map { $0.ingress[rule].peers.list } ?? []
      let kind =
        index.map { place -> String in
          if place < peers.count, case .block = peers[place] { "ipBlock" } else { "podSelector" }
        } ?? "any peer"
      text = "\(kind) of \(id)"
      return
    }
    policy = nil
    text = "no policy"
  }
}
