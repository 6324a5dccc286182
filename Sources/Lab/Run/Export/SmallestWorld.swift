package import Enforcement
package import EngineComparison
package import Lowering
public import NetpolModel
package import Path
package import RuleIR
internal import StandingLab
package import Verdicts

/// The least of a cluster that shows a flow's verdict: the machines and rules that its packet meets or could meet.
public struct SmallestWorld: Sendable {
  /// Rules as they are at one time, and what becomes of the packet then.
  package struct Moment: Sendable {
    /// The rules of each machine that has some: nodes, and pods that send on what they receive.
    package let rulesets: [Endpoint: [Ruleset]]
    package let record: PacketRecord
    package let verdict: Verdict
  }

  package let flow: Flow
  package let style: EnforcementStyle
  /// What the specification says, and how that compares with the style's rules. Of the last moment.
  package let comparison: Comparison
  package let topology: Topology
  package let bridgeNetfilter: Bool
  /// Where the packet may arrive.
  package let listeners: [KernelEngine.Backend]
  /// One, or two if a pod is new: before the nodes know it, and after.
  package let moments: [Moment]
  package let newPod: PodID?
  /// Whether the packet would arrive if no policy had any rules. If so, that shows that everything else works.
  package let arrivesWithoutPolicies: Bool
  /// The other flows that were asked about.
  public let others: [Flow]

  /// The machine whose namespace an endpoint uses.
  package func machine(of endpoint: Endpoint) -> Endpoint? {
    switch endpoint {
    case .pod(let id): topology.pods[id] != nil ? endpoint : topology.hostNode(of: endpoint).map { .node($0.name) }
    case .node, .external: endpoint
    case .address(let address): topology.owner(of: address).flatMap(machine)
    case .service, .virtualAddress: nil
    }
  }
}

/// Why a flow can't be shown on its own.
public struct NotExportable: UserFacingError {
  public let description: String
  package init(_ description: String) { self.description = description }
  public var exitStatus: ExitStatus { .badInput }
}

extension ClusterRun {
  /// The smallest world for the first of some flows. `newPod`: a pod that the nodes don't know at first.
  ///
  /// Throws `NotExportable` if the flow is not asked, or none of several was named.
  public func smallestWorld(_ selected: SelectedFlows, newPod: PodID? = nil) throws -> SmallestWorld {
    guard let flow = selected.plan.flows.first else {
      let unasked = selected.plan.unasked.first
      throw NotExportable(unasked.map { "\($0.flow): not asked: \($0.why)" } ?? "there is no such flow")
    }
    if selection.ports == nil, selected.questions.count > 1 {
      let ports = selected.questions
      throw NotExportable(
        "\(flow.source) to \(flow.destination): that is \(ports.count) flows, and a script shows one; name a port: "
          + ports.abridged(to: 12))
    }
    let plan = ProbePlan(endpoints: [], flows: [flow])
    let after = try lowered(selected.cluster, selected.topology, for: plan, selected.pairs)
    var plans = [after]
    if let newPod {
      plans.insert(
        try LabPlan(
          selected.cluster.without(newPod), style, versionStamp: versionStamp, in: selected.topology,
          onNodes: Set(after.enforced.rulesets.keys)), at: 0)
    }
    let listeners = selected.pairs.endpoints(for: flow) + direct(flow, selected.topology)
    let hosts = Self.hosts(of: flow, listeners, selected.topology)
    let whole = selected.topology.holding(
      nodes: Set(selected.topology.nodes.map(\.name)), pods: Set(selected.topology.pods.keys), externals: hosts)
    var machines = Machines([flow], in: whole, selected.pairs)
    let unprotected = try after.enforced.withoutPolicies()
    let control = unprotected.journey(of: flow)
    machines.add([control] + plans.map { $0.enforced.journey(of: flow) })
    let topology = whole.holding(nodes: machines.nodes, pods: machines.pods)
    let moments = try plans.map { plan in
      guard let verdict = plan.enforced.verdict(of: flow) else {
        let why = plan.enforced.record(of: flow).end.noRoute
        throw NotExportable(
          "\(flow): not asked: \(why.map { "\($0)" } ?? "the rules lead it to another endpoint of the Service")")
      }
      let part = try SmallRules(plan.enforced, topology, flow, [control]).enforced
      var rulesets: [Endpoint: [Ruleset]] = [:]
      for node in topology.nodes { rulesets[.node(node.name)] = part.rulesets[node.name]?.map { $0.only(flow.family) } }
      for pod in topology.forwarders where topology.pods[pod] != nil {
        rulesets[.pod(pod)] = part.podRulesets[pod]?.map { $0.only(flow.family) }
      }
      return SmallestWorld.Moment(rulesets: rulesets, record: part.record(of: flow), verdict: verdict)
    }
    return SmallestWorld(
      flow: flow, style: style, comparison: after.comparer.compare(flow, nil), topology: topology,
      bridgeNetfilter: selected.cluster.settings.bridgeNetfilter,
      listeners: listeners.filter { topology.isThere($0.endpoint) }, moments: moments, newPod: newPod,
      arrivesWithoutPolicies: control.verdict == .allow && unprotected.verdict(of: flow) != nil,
      others: Array(selected.plan.flows.dropFirst()))
  }

  /// Hosts outside the cluster that the flow's packets can meet.
  private static func hosts(
    of flow: Flow, _ listeners: [KernelEngine.Backend], _ topology: Topology
  ) -> Set<String> {
    let addresses = [flow.sourceAddress, flow.destinationAddress] + listeners.map(\.address)
    let ends = [flow.source, flow.destination] + listeners.map(\.endpoint) + addresses.compactMap(topology.owner)
    return Set(ends.compactMap { if case .external(let name) = $0 { name } else { nil } })
  }

  /// The machine that has the destination itself: it gets what no rule translates.
  private func direct(_ flow: Flow, _ topology: Topology) -> [KernelEngine.Backend] {
    var holder: Endpoint? = flow.destination
    switch flow.destination {
    case .service, .virtualAddress, .address:
      holder =
        topology.owner(of: flow.destinationAddress) ?? topology.node(addressedBy: flow).map { .node($0.name) }
    case .pod, .node, .external: break
    }
    return holder.map { [KernelEngine.Backend($0, flow.destinationAddress, flow.port ?? 0)] } ?? []
  }
}

extension Topology {
  fileprivate func isThere(_ endpoint: Endpoint) -> Bool {
    switch endpoint {
    case .pod(let id): pods[id] != nil || hostNode(of: endpoint) != nil
    case .node(let name): node(name) != nil
    case .external(let name): externals.contains { $0.name == name }
    case .address(let address): owner(of: address).map(isThere) ?? false
    case .service, .virtualAddress: false
    }
  }
}

extension Machines {
  fileprivate mutating func add(_ journeys: [Journey]) {
    for hop in journeys.lazy.flatMap(\.hops) { add(hop) }
  }
}

extension Cluster {
  /// The cluster as a node sees it that doesn't know the pod yet.
  fileprivate func without(_ pod: PodID) -> Cluster {
    var other = self
    let addresses = Set(self.pod(pod)?.podIPs ?? [])
    other.pods.removeAll { $0.id == pod }
    for index in other.endpointSlices.indices {
      other.endpointSlices[index].members.removeAll { addresses.contains($0.address) }
    }
    return other
  }
}

extension Ruleset {
  fileprivate func only(_ family: IPFamily) -> Ruleset {
    var part = self
    part.tables.removeAll { $0.family != family }
    part.sets.removeAll { $0.family != family }
    part.keyedSets.removeAll { $0.family != family }
    return part
  }
}
