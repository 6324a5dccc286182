public import NetpolModel
public import Path

/// Why a selection matches no flow: what its ends are, and what to ask instead.
public enum NoFlow: Hashable, Sendable {
  /// None of the pods that an end names is in the lab. The reason is that of the first.
  case notInLab(PodID, Topology.Absence, others: Int)
  case sameEnd(Endpoint)
  /// Both ends use one network, so packets between them never leave it.
  case sameNetwork(Endpoint, Endpoint)
  case bothOutside(Endpoint, Endpoint)
  case noCommonFamily(Endpoint, [IPFamily], Endpoint, [IPFamily])
  /// No pod has an address of the family that both ends have.
  case familyWithoutPods(IPFamily)
  case noPorts(Endpoint)
  /// A load balancer translates this address itself, so no node does (`ipMode: Proxy`).
  case translatedElsewhere(Endpoint)
  /// Nothing else in the cluster could be the other end.
  case noOtherEnd(Endpoint)
}

extension NoFlow {
  /// The reason for a selection whose plan is empty. `nil` if it names no end.
  public init?(_ selection: ProbePlan.Selection, in cluster: Cluster, _ topology: Topology) {
    if let absence = Self.absence(of: selection, in: topology) {
      self = absence
      return
    }
    let isThere = { (end: Endpoint) in topology.absence(of: end) == nil }
    switch (selection.sources?.first(where: isThere), selection.destinations?.first(where: isThere)) {
    case (let source?, let destination?):
      // The first pair of two different ends, if there is one.
      let other = selection.destinations?.first { isThere($0) && $0 != source } ?? destination
      self = Self.between(source, other, selection, cluster, topology)
    case (let end?, nil), (nil, let end?): self = Self.alone(end, cluster) ?? .noOtherEnd(end)
    case (nil, nil): return nil
    }
  }

  public var code: Code {
    switch self {
    case .notInLab(_, let why, _): why.code
    case .sameEnd: .sameEnd
    case .sameNetwork: .sameNetwork
    case .bothOutside: .bothOutside
    case .noCommonFamily: .noCommonFamily
    case .familyWithoutPods: .familyWithoutPods
    case .noPorts: .noPorts
    case .translatedElsewhere: .translatedElsewhere
    case .noOtherEnd: .noOtherEnd
    }
  }

  /// The reason if it is an end whose pods are all missing from the lab. `nil` if each end has a pod or is none.
  package static func absence(of selection: ProbePlan.Selection, in topology: Topology) -> NoFlow? {
    for ends in [selection.sources, selection.destinations] {
      let absences = (ends ?? []).map(topology.absence)
      if case .pod(let first)? = ends?.first, let why = absences.first ?? nil, absences.allSatisfy({ $0 != nil }) {
        return .notInLab(first, why, others: absences.count - 1)
      }
    }
    return nil
  }

  private static func between(
    _ source: Endpoint, _ destination: Endpoint, _ selection: ProbePlan.Selection, _ cluster: Cluster,
    _ topology: Topology
  ) -> NoFlow {
    if source == destination { return .sameEnd(source) }
    if let why = alone(destination, cluster) { return why }
    if topology.isOutside(source), topology.isOutside(destination) { return .bothOutside(source, destination) }
    let families = { (end: Endpoint, stated: IPAddress?) in
      stated.map { [$0.family] } ?? IPFamily.allCases.filter { topology.address(of: end, $0) != nil }
    }
    let its = families(source, selection.sourceAddress)
    let others = families(destination, selection.destinationAddress)
    let common = its.filter(others.contains)
    guard let family = common.first else { return .noCommonFamily(source, its, destination, others) }
    if !cluster.families.contains(where: common.contains) { return .familyWithoutPods(family) }
    return .sameNetwork(source, destination)
  }

  /// Why there is no flow to a destination, whatever the source is.
  private static func alone(_ end: Endpoint, _ cluster: Cluster) -> NoFlow? {
    switch end {
    case .virtualAddress(let id, let address)
    where cluster.service(id)?.loadBalancerIPs.contains { $0.address == address && $0.isProxied } == true:
      return .translatedElsewhere(end)
    case .service(let id), .virtualAddress(let id, _):
      return cluster.service(id)?.ports.isEmpty == true ? .noPorts(end) : nil
    case .pod, .node, .external, .address: return nil
    }
  }
}

extension NoFlow: CustomStringConvertible {
  public var description: String { "\(text) [\(code)]" }

  private var text: String {
    switch self {
    case .notInLab(let pod, let why, let others):
      let more = others > 0 ? ", and \(others) more pods can't be asked either" : ""
      return "\(pod) sends and receives nothing: \(why)\(more); \(why.remedy)"
    case .sameEnd(.node(let name)):
      return "both ends are node/\(name), and no NodePort and no hostPort is behind the port; name two different ends"
    case .sameEnd(let end): return "both ends are \(end); name two different ends"
    case .sameNetwork(let source, let destination):
      return "\(source) and \(destination) use the same network, and no packet between them leaves it; "
        + "name an end on another node"
    case .bothOutside(let source, let destination):
      return "\(source) and \(destination) are both outside the cluster, where no policy applies; "
        + "name a pod, a node or a Service as one end"
    case .noCommonFamily(let source, let its, let destination, let others):
      return "\(source) is asked about with \(Self.text(its)) and \(destination) with \(Self.text(others)); "
        + "name two ends with an address family in common"
    case .familyWithoutPods(let family):
      return "the ends have only \(family.rawValue) in common, which no pod has, so the lab has none; "
        + "name two ends with an address of the pods' family"
    case .noPorts(let end): return "\(end) has no port; name a pod behind it"
    case .translatedElsewhere(let end):
      return "\(end): the load balancer itself translates this address (ipMode: Proxy), and no node answers for it; "
        + "ask for the node that it sends to, with the NodePort"
    case .noOtherEnd(let end):
      return "there is nobody else whom \(end) could reach or hear; add a pod, a node, or an external host"
    }
  }

  private static func text(_ families: [IPFamily]) -> String {
    switch families.count {
    case 0: "no address"
    case 1: "\(families[0].rawValue) alone"
    default: families.map(\.rawValue).joined(separator: " and ")
    }
  }
}

extension Topology.Absence {
  /// What to do about the pod, or instead of asking about it.
  fileprivate var remedy: String {
    switch self {
    case .onNoNode: "give it a nodeName, or name another pod"
    case .ended: "name a pod that still runs"
    case .withoutAddress: "ask when it has one, or name another pod"
    case .addressTaken: "give it an address of its own, or name another pod"
    }
  }
}
