internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Path

/// What a node with default-deny refuses, whatever the policies say: packets from and to addresses in its pod CIDRs
/// that it knows no pod for (D14, D22).
struct DefaultDeny: Sendable {
  let isOn: Bool
  private let judgesOutput: Bool
  private let model: DeviationModel
  private let serviceCIDRs: [CIDR]
  /// By node: addresses in its pod CIDRs without a pod that it knows, and the pods that it knows.
  private let unknown, known: [Bits]
  private let own, pods: [Bits]
  private let ends: [Flow.End]

  init(
    _ cluster: Cluster, _ model: DeviationModel, _ topology: Topology, _ rules: EnforcedMatrix, _ ends: [Flow.End]
  ) {
    let deviations = model.traits.deviations
    isOn =
      cluster.settings.defaultDeny
      && (deviations.contains(.refusesStrangers) || deviations.contains(.refusesUnprogrammed))
    judgesOutput = model.traits.judgesOutput
    self.model = model
    self.ends = ends
    serviceCIDRs = cluster.settings.serviceCIDRs
    own = rules.own
    pods = rules.pods
    guard isOn else {
      unknown = []
      known = []
      return
    }
    let byID = Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first }
    let needsChain = deviations.contains(.unknownHostIP)
    let known = topology.nodes.indices.map { node in
      Bits(
        rules.pods[node].numbers.filter { number in
          guard case .pod(let id) = ends[number].endpoint, let pod = byID[id] else { return false }
          return !needsChain || model.hasChain(pod)
        }, count: ends.count)
    }
    self.known = known
    unknown = topology.nodes.enumerated().map { index, place in
      let blocks = cluster.node(place.name)?.podCIDRs ?? []
      return Bits(
        ends.indices.filter { number in
          !known[index].contains(number) && blocks.contains { $0.contains(ends[number].address) }
        }, count: ends.count)
    }
  }

  /// The ends that a node refuses for packets of one end. `passesChains`: whether a pod's chain accepts the packets
  /// before policies are asked: those of known connections, and some ICMP.
  func refused(
    _ node: Int, _ end: Int, isDeparture: Bool, _ question: Flow.Question, passesChains: Bool
  ) -> Bits {
    let none = Bits(count: ends.count)
    guard isOn else { return none }
    let isOwn = own[node].contains(end)
    let isUnknown = unknown[node].contains(end)
    if !judgesOutput {
      // No rule judges what the node sends, and known connections pass everywhere.
      if passesChains || isDeparture && isOwn { return none }
      if !isDeparture, isOwn { return unknown[node] }
      var refused = isUnknown ? Bits(allBelow: ends.count) : unknown[node]
      if isDeparture, !isUnknown { refused.subtract(own[node]) }
      return refused
    }
    var refused = isUnknown ? Bits(allBelow: ends.count) : unknown[node]
    if isDeparture {
      if isOwn {
        // The pod's chain accepts what its own node sends.
        refused.subtract(known[node])
      } else {
        own[node].visit { if isExempt($0, question) { refused.remove($0) } }
      }
    } else if isOwn, isExempt(end, question) {
      return none
    }
    if passesChains {
      if known[node].contains(end) { return none }
      if isDeparture { refused.subtract(known[node]) }
    }
    return refused
  }

  private func isExempt(_ number: Int, _ question: Flow.Question) -> Bool {
    let end = ends[number]
    return model.isExemptInInput(
      Flow(from: end.endpoint, end.address, to: end.endpoint, end.address, question))
  }

  /// Why: the unknown one of two ends is a machine, or nobody.
  func reason(_ a: Int, _ b: Int, _ node: Int) -> ProofReason {
    let odd = unknown[node].contains(a) ? a : b
    if case .address = ends[odd].endpoint { return .deviation(.refusesStrangers) }
    return .deviation(.refusesUnprogrammed)
  }
}
