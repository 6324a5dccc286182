internal import Apply
internal import Enforcement
internal import Kernel
internal import NetpolModel
internal import Network
internal import Path
internal import RuleIR
internal import Verdicts

/// A running lab: the namespaces of a cluster, with a style's rules on every node.
struct LoadedFabric {
  /// The plan whose rules are loaded.
  private(set) var plan: LabPlan
  /// The plan whose places exist: those of `plan`, or more.
  let places: LabPlan
  let fabric: Fabric
  private let workers: NamespaceWorkers
  /// The rules of each machine as they are loaded.
  private var loaded: [Endpoint: [Ruleset]] = [:]
  private let engine: KernelEngine
  private var conversation: KernelEngine.Conversation
  /// Time that building and all loading took.
  let buildTime: Duration
  private(set) var loadTime: Duration = .zero

  init(
    _ plan: LabPlan, transports: [Transport], worker: NamespaceWorker, _ progress: (LabProgress) -> Void
  ) throws {
    self.plan = plan
    places = plan
    progress(.building(namespaces: plan.namespaceCount))
    let clock = ContinuousClock()
    let begin = clock.now
    let settings = plan.cluster.settings
    fabric = try Fabric(
      plan.topology, families: plan.cluster.families, bridgeNetfilter: settings.bridgeNetfilter,
      liftICMPLimits: plan.liftsICMPLimits, worker: worker)
    buildTime = clock.now - begin
    workers = try NamespaceWorkers()
    engine = KernelEngine(fabric)
    conversation = try KernelEngine.Conversation(worker: worker)
    progress(.checking)
    try SelfCheck.run(
      fabric, families: plan.cluster.families, bridged: settings.bridgeNetfilter, transports: transports,
      workers: workers)
    try load(plan, progress) { try $0.replace($1, with: $2, in: $3) }
  }

  /// Replaces the loaded rules with those of another cluster that has the same fabric. What they have in common stays.
  mutating func replaceRules(by other: LabPlan, _ progress: (LabProgress) -> Void) throws {
    try load(other, progress) { try $0.replace($1, with: $2, in: $3) }
  }

  /// Unloads all rules and loads those of another cluster that has the same fabric.
  mutating func reloadRules(by other: LabPlan, _ progress: (LabProgress) -> Void) throws {
    try load(other, progress) { try $0.reload($1, as: $2, in: $3) }
  }

  /// Loads the rules of all machines, several machines at a time. `way` returns what it has loaded.
  private mutating func load(
    _ other: LabPlan, _ progress: (LabProgress) -> Void,
    _ way: @escaping @Sendable (RuleLoader, _ old: [Ruleset], _ new: [Ruleset], NetworkNamespace) throws -> [Ruleset]
  ) throws {
    progress(.loading(nodes: plan.topology.nodes.count))
    loadTime += try ContinuousClock().measure {
      let machines = machines
      let before = loaded
      let after = try workers.map(machines) { machine, worker in
        try way(
          try RuleLoader(worker: worker), before[machine.endpoint] ?? [], other.rulesets(of: machine.endpoint),
          machine.namespace)
      }
      for (machine, rules) in zip(machines, after) { loaded[machine.endpoint] = rules }
    }
    plan = other
  }

  /// Changes the rules to those of another cluster, all of whose pods must have an address of this lab's pods.
  mutating func change(to other: LabPlan, with rules: LiveRules, loader: RuleLoader) throws {
    for machine in machines {
      let (old, new) = (loaded[machine.endpoint] ?? [], other.rulesets(of: machine.endpoint))
      if case .pod = machine.endpoint {
        loaded[machine.endpoint] = try loader.replace(old, with: new, in: machine.namespace)
      } else {
        loaded[machine.endpoint] = try rules.change(old, to: new, in: machine.namespace)
      }
    }
    plan = other
  }

  private struct Machine: Sendable {
    let endpoint: Endpoint
    let namespace: NetworkNamespace
  }

  /// What has rules of its own: the nodes, and then pods that send on what they receive.
  private var machines: [Machine] {
    let endpoints =
      places.topology.nodes.map { Endpoint.node($0.name) } + places.topology.forwarders.sorted().map(Endpoint.pod)
    return endpoints.compactMap { endpoint in
      fabric.namespace(of: endpoint).map { Machine(endpoint: endpoint, namespace: $0) }
    }
  }

  /// Returns one observation per flow, in order.
  mutating func observe(
    _ flows: [Flow], within limit: Duration?, _ progress: @escaping (LabProgress) -> Void
  ) throws -> [Observation] {
    try MemoryNeed.flows(flows.count).require()
    let backends = Backends(plan.cluster, places.topology)
    return try engine.observe(flows.map(placed), within: limit, in: &conversation, backends: backends.endpoints) {
      done in
      progress(.probing(done: done, of: flows.count))
    }
  }

  /// What the kernels say that the flows' first packets meet, on all machines with rules.
  mutating func trace(_ flows: [Flow]) throws -> [KernelTrace] {
    let backends = Backends(plan.cluster, places.topology)
    let enforced = plan.enforced
    return try engine.trace(
      flows.map(placed),
      on: machines.map { machine in
        (machine.endpoint, (loaded[machine.endpoint] ?? []).filter { $0.backend == .iptables }.flatMap(\.tables))
      }, in: &conversation, backends: backends.endpoints,
      portsOnTheWay: { number in
        Set(
          enforced.record(of: flows[number]).hooks.compactMap { hook in
            if case .transport(_, _, let port) = hook.after.payload { port } else { nil }
          })
      })
  }

  /// The flow with the lab's own names: a pod that took over an address is placed where the address's first pod is.
  private func placed(_ flow: Flow) -> Flow {
    var flow = flow
    flow.source = placed(flow.source, flow.family)
    flow.destination = placed(flow.destination, flow.family)
    return flow
  }

  private func placed(_ endpoint: Endpoint, _ family: IPFamily) -> Endpoint {
    guard case .pod = endpoint, fabric.namespace(of: endpoint) == nil else { return endpoint }
    return plan.topology.address(of: endpoint, family).flatMap(places.topology.owner) ?? endpoint
  }
}

extension LabPlan {
  /// The rules in the namespace of a node or a pod.
  fileprivate func rulesets(of machine: Endpoint) -> [Ruleset] {
    switch machine {
    case .node(let name): enforced.rulesets[name] ?? []
    case .pod(let pod): enforced.podRulesets[pod] ?? []
    default: []
    }
  }
}
