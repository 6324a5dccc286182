internal import Apply
internal import Enforcement
internal import Kernel
internal import NetpolModel
internal import Network
internal import Path
internal import Verdicts

/// A running lab: the namespaces of a cluster, with a style's rules on every node.
struct LoadedFabric {
  /// The plan whose rules are loaded.
  private(set) var plan: LabPlan
  /// The plan whose places exist: those of `plan`, or more.
  let places: LabPlan
  let fabric: Fabric
  private let loader: RuleLoader
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
    loader = try RuleLoader(worker: worker)
    engine = KernelEngine(fabric)
    conversation = try KernelEngine.Conversation(worker: worker)
    progress(.checking)
    try SelfCheck.run(
      fabric, families: plan.cluster.families, bridged: settings.bridgeNetfilter, transports: transports,
      loader: loader)
    progress(.loading(nodes: plan.topology.nodes.count))
    loadTime = try clock.measure {
      for node in plan.topology.nodes {
        guard let namespace = fabric.namespace(ofNode: node.name) else { continue }
        for rules in plan.enforced.rulesets[node.name] ?? [] { try loader.load(rules, in: namespace) }
      }
      try replacePodRules(by: plan, isFirst: true)
    }
  }

  /// Loads the rules of pods that have some of their own, instead of those of the current plan unless they are the first.
  private func replacePodRules(by other: LabPlan, isFirst: Bool = false) throws {
    for pod in places.topology.forwarders.sorted() {
      guard let namespace = fabric.namespace(of: .pod(pod)) else { continue }
      let old = isFirst ? [] : plan.enforced.podRulesets[pod] ?? []
      let new = other.enforced.podRulesets[pod] ?? []
      if old == new { continue }
      for rules in old { try loader.unload(rules, in: namespace) }
      for rules in new { try loader.load(rules, in: namespace) }
    }
  }

  /// Replaces the loaded rules with those of another cluster that has the same fabric.
  mutating func replaceRules(by other: LabPlan, _ progress: (LabProgress) -> Void) throws {
    progress(.loading(nodes: plan.topology.nodes.count))
    loadTime += try ContinuousClock().measure {
      for node in plan.topology.nodes {
        guard let namespace = fabric.namespace(ofNode: node.name) else { continue }
        let old = plan.enforced.rulesets[node.name] ?? []
        let new = other.enforced.rulesets[node.name] ?? []
        if old == new { continue }
        for rules in old { try loader.unload(rules, in: namespace) }
        for rules in new { try loader.load(rules, in: namespace) }
      }
      try replacePodRules(by: other)
    }
    plan = other
  }

  /// Changes the rules to those of another cluster, all of whose pods must have an address of this lab's pods.
  mutating func change(to other: LabPlan, with rules: LiveRules) throws {
    for node in places.topology.nodes {
      guard let namespace = fabric.namespace(ofNode: node.name) else { continue }
      try rules.change(
        plan.enforced.rulesets[node.name] ?? [], to: other.enforced.rulesets[node.name] ?? [], in: namespace)
    }
    try replacePodRules(by: other)
    plan = other
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
