internal import Apply
internal import Enforcement
package import Kernel
internal import Lowering
package import NetpolModel
internal import Network

/// Where one lab stands at a time: the next cluster takes over its namespaces where it can, and else gets its own.
package struct ReusableLab {
  private let transports: [Transport]
  private let worker: NamespaceWorker
  let progress: (LabProgress) -> Void
  private var lab: LoadedFabric?
  private var earlierLoads = Duration.zero
  package private(set) var buildTime = Duration.zero
  /// How many fabrics were built.
  package private(set) var labsBuilt = 0
  /// How often another cluster's or another style's rules took the place of those before.
  package private(set) var rulesReplaced = 0

  package init(transports: [Transport], worker: NamespaceWorker, _ progress: @escaping (LabProgress) -> Void) {
    self.transports = transports
    self.worker = worker
    self.progress = progress
  }

  package var loadTime: Duration { earlierLoads + (lab?.loadTime ?? .zero) }

  package mutating func prepare(_ plan: LabPlan) throws {
    if let lab, lab.places.hasSameFabric(as: plan) {
      if lab.plan.cluster != plan.cluster || lab.plan.enforced.style.name != plan.enforced.style.name {
        try self.lab?.replaceRules(by: plan, progress)
        rulesReplaced += 1
      }
      return
    }
    // Its namespaces go before others come.
    abandonLab()
    let built = try LoadedFabric(plan, transports: transports, worker: worker, progress)
    buildTime += built.buildTime
    labsBuilt += 1
    lab = built
  }

  /// Loads the rules of a cluster without other places, whatever stood before.
  package mutating func load(_ plan: LabPlan) throws {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    try lab.replaceRules(by: plan, progress)
  }

  /// Changes the rules that stand to those of a cluster without other places, and reads them back: what is not as it
  /// should be. `target` is what the changes are made for, which may be mistaken.
  package mutating func change(to plan: LabPlan, by target: LabPlan) throws -> [String] {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    try lab.change(to: target, with: try LiveRules(worker: worker))
    var differences: [String] = []
    for node in plan.cluster.nodes {
      guard let namespace = lab.fabric.namespace(ofNode: node.name) else { continue }
      let stored = try StoredRules(reading: namespace, families: plan.cluster.families, worker: worker)
      let target = try StoredRules(plan.enforced.rulesets[node.name] ?? [])
      differences += stored.differences(from: target).map { "node \(node.name): \($0)" }
    }
    return differences
  }

  /// The next cluster gets a lab of its own, whatever this one was.
  package mutating func abandonLab() {
    earlierLoads = loadTime
    lab = nil
  }

  /// `limit` is how long a silent packet is waited for, if not as long as usual.
  package mutating func observe(_ flows: [Flow], within limit: Duration? = nil) throws -> [Observation] {
    guard var lab else { throw LabError("no lab was built") }
    defer { self.lab = lab }
    return try lab.observe(flows, within: limit, progress)
  }
}
