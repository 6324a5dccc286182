internal import Apply
internal import Enforcement
package import Kernel
internal import Lowering
package import NetpolModel
package import Network
internal import Verdicts

/// Keeps one lab at a time. The next cluster takes over its namespaces if it can, and otherwise gets a new lab.
package struct ReusableLab {
  private let transports: [Transport]
  private let worker: NamespaceWorker
  let progress: (LabProgress) -> Void
  private var lab: LoadedFabric?
  private var earlierLoads = Duration.zero
  package private(set) var buildTime = Duration.zero
  /// Number of fabrics built.
  package private(set) var labsBuilt = 0
  /// Number of times the rules were replaced with those of another cluster or another style.
  package private(set) var rulesReplaced = 0

  package init(transports: [Transport], worker: NamespaceWorker, _ progress: @escaping (LabProgress) -> Void) {
    self.transports = transports
    self.worker = worker
    self.progress = progress
  }

  /// The namespaces of the lab that stands.
  package var fabric: Fabric? { lab?.fabric }

  package var loadTime: Duration { earlierLoads + (lab?.loadTime ?? .zero) }

  package mutating func prepare(_ plan: LabPlan) throws {
    if let lab, lab.places.hasSameFabric(as: plan) {
      if lab.plan.cluster != plan.cluster || lab.plan.enforced.style.name != plan.enforced.style.name {
        try self.lab?.replaceRules(by: plan, progress)
        rulesReplaced += 1
      }
      return
    }
    // The old namespaces are removed before new ones are created.
    abandonLab()
    let built = try LoadedFabric(plan, transports: transports, worker: worker, progress)
    buildTime += built.buildTime
    labsBuilt += 1
    lab = built
  }

  /// Loads the rules of a cluster that needs no other places, whatever was loaded before.
  package mutating func load(_ plan: LabPlan) throws {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    try lab.reloadRules(by: plan, progress)
  }

  /// Changes the loaded rules to those of a cluster that needs no other places, and reads them back. Returns what
  /// differs from the expected rules. The changes are made for `target`, which may contain mistakes.
  package mutating func change(to plan: LabPlan, by target: LabPlan) throws -> [String] {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    try lab.change(to: target, with: try LiveRules(worker: worker), loader: try RuleLoader(worker: worker))
    var differences: [String] = []
    for node in plan.cluster.nodes {
      guard let namespace = lab.fabric.namespace(ofNode: node.name) else { continue }
      let stored = try StoredRules(reading: namespace, families: plan.cluster.families, worker: worker)
      let target = try StoredRules(plan.enforced.rulesets[node.name] ?? [])
      differences += stored.differences(from: target).map { "node \(node.name): \($0)" }
    }
    return differences
  }

  /// Makes the next cluster get a new lab, whatever this one is.
  package mutating func abandonLab() {
    earlierLoads = loadTime
    lab = nil
  }

  /// `limit` is how long to wait for a silent packet; `nil` means the usual time.
  package mutating func observe(_ flows: [Flow], within limit: Duration? = nil) throws -> [Observation] {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    return try lab.observe(flows, within: limit, progress)
  }

  /// The same, with some patience. Silence where the evaluator doesn't deny may only mean that the machine is slow, and
  /// another endpoint than the evaluator's that a source port met an older connection. Such flows are asked again, for
  /// each further time.
  package mutating func observe(_ flows: [Flow], patiently times: [Duration]) throws -> [Observation] {
    guard let enforced = lab?.plan.enforced else { throw LabError("no lab was built") }
    var answers: [Observation?] = Array(repeating: nil, count: flows.count)
    var asked = Array(flows.indices)
    for time in times where !asked.isEmpty {
      let seen = try observe(asked.map { flows[$0] }, within: time)
      for (index, observation) in zip(asked, seen) { answers[index] = observation }
      asked = zip(asked, seen).filter { index, observation in
        switch observation {
        case .silent, .unusable: enforced.verdict(of: flows[index]) != .deny
        // No verdict: the evaluator sees another endpoint too.
        case .elsewhere: enforced.verdict(of: flows[index]) != nil
        case .delivered, .refused: false
        }
      }.map(\.0)
    }
    return answers.map { $0 ?? .unusable("no packet was sent") }
  }

  /// Sends the flows' first packets once more, and returns what the kernels say that they met. A packet that a busy machine
  /// loses says nothing, so where kernel and evaluator differ, the second time counts.
  package mutating func trace(_ flows: [Flow]) throws -> [TracedFlow] {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    let enforced = lab.plan.enforced
    var traced = zip(flows, try lab.trace(flows)).map { TracedFlow($0, $1, enforced) }
    let doubtful = traced.indices.filter { !traced[$0].differences.isEmpty || traced[$0].trace.isIncomplete }
    for (index, trace) in zip(doubtful, try lab.trace(doubtful.map { flows[$0] })) {
      traced[index] = TracedFlow(flows[index], trace, enforced)
    }
    return traced
  }
}
