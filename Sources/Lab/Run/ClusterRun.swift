internal import Apply
internal import Comparison
internal import Kernel
public import Lowering
public import NetpolModel
internal import Path

/// A selection that leaves no flow.
public struct NothingToAsk: Error, CustomStringConvertible {
  public let description: String
}

/// Builds a cluster in namespaces, loads a style's rules on every node, sends the packets and compares the engines.
public struct ClusterRun: Sendable {
  public var style: EnforcementStyle
  public var selection: ProbePlan.Selection
  /// A labelled deviation counts as a failure.
  public var strict: Bool
  /// kube-router's version stamp: part of the names of chains.
  public var versionStamp: String

  public init(
    style: EnforcementStyle, selection: ProbePlan.Selection = .init(), strict: Bool = false, versionStamp: String = "1"
  ) {
    self.style = style
    self.selection = selection
    self.strict = strict
    self.versionStamp = versionStamp
  }

  /// A step of a run, for whoever waits for it.
  public enum Progress: Sendable {
    case building(namespaces: Int)
    case checking
    case loading(nodes: Int)
    case probing(done: Int, of: Int)
    case comparing
  }

  /// Throws `LabFailure` where the machine can't do it, a loader is refused, or the lab's own check fails.
  public func run(_ cluster: Cluster, version: String, progress: @escaping (Progress) -> Void = { _ in }) throws
    -> RunReport
  {
    try OpenFiles.raiseLimit()
    if let obstacle = Privilege.obstacle { throw LabError(obstacle) }
    let worker = try NamespaceWorker()
    let environment = try LabEnvironment(version: version, style: style.name, worker: worker)
    do {
      return try run(cluster, environment, worker, progress)
    } catch let error as NothingToAsk {
      throw error
    } catch {
      throw LabFailure(environment: environment, error: error)
    }
  }

  private func run(
    _ cluster: Cluster, _ environment: LabEnvironment, _ worker: NamespaceWorker,
    _ progress: @escaping (Progress) -> Void
  ) throws -> RunReport {
    let clock = ContinuousClock()
    let missing = try KernelFeatures.missing(on: worker)
    if let first = missing.first { throw LabError(first.description) }
    if environment.iptables == LabEnvironment.missing {
      throw LabError("there is no iptables program; netns-scripts/setup.sh installs it")
    }

    let topology = Topology(cluster)
    let plan = ProbePlan(
      cluster, topology, only: selection, sctpObstacle: try ProbeSession.obstacle(to: .sctp, on: worker))
    if let emptiness = plan.emptiness { throw NothingToAsk(description: emptiness) }
    let enforced = try EnforcedCluster(cluster, topology, style, versionStamp: versionStamp)

    progress(.building(namespaces: topology.nodes.count + topology.pods.count + topology.externals.count + 2))
    var fabric: Fabric?
    let build = try clock.measure {
      fabric = try Fabric(
        topology, families: cluster.families, bridgeNetfilter: cluster.settings.bridgeNetfilter,
        liftICMPLimits: cluster.settings.liftICMPLimits ?? true, worker: worker)
    }
    guard let fabric else { throw LabError("the fabric was not built") }
    let loader = try RuleLoader(worker: worker)
    progress(.checking)
    try SelfCheck.run(
      fabric, families: cluster.families, bridged: cluster.settings.bridgeNetfilter,
      transports: [.tcp, .udp] + (plan.flows.contains { $0.transport == .sctp } ? [.sctp] : []), loader: loader)

    progress(.loading(nodes: topology.nodes.count))
    let load = try clock.measure {
      for node in topology.nodes {
        guard let namespace = fabric.namespace(ofNode: node.name) else { continue }
        for rules in enforced.rulesets[node.name] ?? [] { try loader.load(rules, in: namespace) }
      }
    }

    let backends = Backends(cluster, topology)
    var observations: [Observation] = []
    let probe = try clock.measure {
      observations = try KernelEngine(fabric).observe(plan.flows, backends: backends.of) { done in
        progress(.probing(done: done, of: plan.flows.count))
      }
    }
    progress(.comparing)
    let comparer = Comparer(cluster, enforced)
    var comparisons = zip(plan.flows, observations).map { comparer.compare($0, kernel: $1.answer) }
    comparisons += plan.unasked.map { comparer.compare($0.flow, kernel: .notAsked) }
    return RunReport(
      environment: environment, cluster: cluster, plan: plan, enforced: enforced, comparisons: comparisons,
      observations: observations, strict: strict,
      timings: RunReport.Timings(build: build, load: load, probe: probe))
  }
}
