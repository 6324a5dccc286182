internal import Enforcement
internal import EngineComparison
public import Kernel
public import Lowering
internal import Manifests
public import NetpolModel
internal import Network
internal import Proof
internal import StandingLab
internal import Statistics
internal import Verdicts
public import Worlds

/// Checks worlds. On every flow oracle, evaluator and, if packets are sent, the kernel must agree, or a deviation of
/// the style must explain the difference. Every predicted deviation must show.
public struct WorldCheck {
  /// Maximum number of flows that are asked of a world in a style. `seed` draws them.
  public var flowLimit = 400
  /// Whether the rules are compared with the specification for every packet too.
  public var proves = false
  /// How many random packets are compared with their classes, in each family.
  public var classPackets = 0
  /// Of how many flows the rules that kernel and evaluator meet are compared.
  public var tracedFlows = 0
  /// Plants a mistake: changes leave removed members in sets.
  public var forgetsMembers = false
  /// Asked before each state of a sequence. If it says no, the check ends there, without a failure.
  public var mayGoOn: () -> Bool = { true }
  var lab: ReusableLab?
  private let sctpObstacle: String?

  /// The result of checking a world in a style.
  public struct Result: Sendable {
    public var failures: [FuzzFailure] = []
    /// For a sequence: the state that the failures belong to, from 0.
    public var failedState = 0
    public var coverage = FuzzCoverage()
    /// The machine's fault that ended the check. Then there is no result.
    public internal(set) var machineFault: KernelError?

    /// Rules that are refused are a failure. What the machine refuses isn't.
    mutating func note(_ error: any Error, _ style: EnforcementStyle) {
      if let fault = error as? KernelError, fault.isOfMachine {
        machineFault = fault
      } else {
        failures.append(FuzzFailure(.refused, style.name, "\(FuzzFailure.Kind.refused.rawValue): \(error)"))
      }
    }
  }

  /// Checks without packets, with the user-space engines only.
  public init() {
    lab = nil
    sctpObstacle = nil
  }

  /// Checks with packets. Throws `LabFailure` if this machine can't run a lab.
  public init(packetsAs version: String) throws {
    try OpenFiles.raiseLimit()
    if let obstacle = Privilege.obstacle { throw LabError(obstacle) }
    let worker = try NamespaceWorker()
    let environment = try LabEnvironment(version: version, style: "all", worker: worker)
    try environment.requireLab(on: worker)
    try environment.requireAllPrograms()
    sctpObstacle = try ProbeSession.obstacle(to: .sctp, on: worker)
    lab = ReusableLab(transports: [.tcp, .udp] + (sctpObstacle == nil ? [.sctp] : []), worker: worker) { _ in }
  }

  public var labsBuilt: Int { lab?.labsBuilt ?? 0 }

  /// Checks what the world's manifest says, so that the manifest is all that is needed to show a failure.
  public mutating func check(_ stated: Cluster, _ style: EnforcementStyle, seed: UInt64) -> Result {
    var result = Result()
    result.coverage.cases = 1
    let cluster: Cluster
    do { cluster = try Self.read(stated) } catch {
      result.failures = [FuzzFailure(.unreadable, style.name, "\(error)")]
      return result
    }
    do {
      try compare(try LabPlan(cluster, style, versionStamp: "1"), seed, &result)
    } catch {
      result.note(error, style)
      // Some of its rules may be loaded.
      lab?.abandonLab()
    }
    return result
  }

  /// Loads the rules of a mutant but evaluates those of its style, as if a loader had made a mistake.
  public mutating func check(_ world: World, loading mutant: MutantHunt.Mutant) -> Result {
    var result = Result()
    do {
      let cluster = try Self.read(world.cluster)
      try lab?.prepare(try LabPlan(cluster, mutant.mutated, versionStamp: "1"))
      try compareLoaded(try LabPlan(cluster, mutant.style, versionStamp: "1"), world.seed, &result)
    } catch {
      result.note(error, mutant.style)
      lab?.abandonLab()
    }
    return result
  }

  /// The cluster as read from its manifest, with what controllers add.
  static func read(_ stated: Cluster) throws -> Cluster {
    try readManifests(
      [ManifestSource(name: "world.yaml", text: stated.manifest)], options: ReadOptions(validation: .asStored)
    ).cluster
  }

  private mutating func compare(_ plan: LabPlan, _ seed: UInt64, _ result: inout Result) throws {
    try lab?.prepare(plan)
    try compareLoaded(plan, seed, &result)
  }

  /// Compares with the rules that are loaded.
  mutating func compareLoaded(_ plan: LabPlan, _ seed: UInt64, _ result: inout Result) throws {
    let probes = ProbePlan(plan.cluster, plan.topology, breadth: .boundaries, sctpObstacle: sctpObstacle)
    var random = SplitMix64(seed: seed)
    let flows = random.some(flowLimit, of: probes.flows)
    var answers: [Flow: Observation] = [:]
    if lab != nil {
      answers = try observe(flows, plan)
      result.coverage.casesWithPackets = 1
    }
    let enforced = plan.enforced
    result.coverage.states += 1
    let plain = DeviationModel(plan.cluster, plan.comparer.oracle, enforced.style.traits.making([]))
    result.coverage.add(enforced)
    // What is not modelled has no answer that could be compared.
    let others = probes.unasked.filter { if case .notModelled = $0.obstacle { false } else { true } }
    for flow in flows + random.some(flowLimit / 10, of: others.map(\.flow)) {
      let walk = enforced.walk(flow)
      let comparison = plan.comparer.compare(flow, Journey(walk, flow.family, in: enforced), answers[flow])
      result.coverage.add(comparison, walk)
      if let failure = FuzzFailure(comparison, enforced.style.name) { result.failures.append(failure) }
      if let specified = comparison.specified?.verdict, plain.verdict(flow) != specified {
        let text =
          "\(FuzzFailure.Kind.readingDiffers.rawValue): \(flow): oracle \(specified.rawValue)"
        result.failures.append(FuzzFailure(.readingDiffers, enforced.style.name, text))
      }
    }
    try trace(flows, answers, plan, &result)
    prove(plan, seed, &result)
  }

  /// Compares the rules that kernel and evaluator meet, for some of the flows.
  private mutating func trace(
    _ flows: [Flow], _ answers: [Flow: Observation], _ plan: LabPlan, _ result: inout Result
  ) throws {
    guard tracedFlows > 0, var lab else { return }
    defer { self.lab = lab }
    let asked = flows.lazy.filter { answers[$0] != nil && !$0.destinationAddress.isMulticast }.prefix(tracedFlows)
    for (flow, traced) in zip(asked, try lab.trace(Array(asked))) where !traced.trace.isIncomplete {
      result.coverage.tracedFlows += 1
      for one in traced.differences {
        let text =
          "\(FuzzFailure.Kind.traceDiffers.rawValue): \(flow): on \(one.machine) the kernel met "
          + "\(one.kernel.prefix(3).joined(separator: ", ")), the evaluator "
          + "\(one.evaluator.prefix(3).joined(separator: ", "))"
        result.failures.append(FuzzFailure(.traceDiffers, plan.enforced.style.name, text))
      }
    }
  }

  private func prove(_ plan: LabPlan, _ seed: UInt64, _ result: inout Result) {
    let style = plan.enforced.style.name
    if proves {
      let proof = Proof(plan.cluster, plan.comparer)
      result.coverage.provedClasses += proof.classes
      // What depends on a race has no number: the style warns of it.
      if let one = proof.counterexamples.first, plan.enforced.findings.isEmpty {
        let text =
          "\(FuzzFailure.Kind.notProved.rawValue): \(one.packet): rules \(one.rules.rawValue), "
          + "predicted \(one.predicted.rawValue), oracle \(one.specification.rawValue)"
        result.failures.append(FuzzFailure(.notProved, style, text))
      }
    }
    if classPackets == 0 { return }
    for family in plan.cluster.families {
      let check = ClassCheck(plan.cluster, plan.enforced, family)
      result.coverage.classPackets += classPackets
      for problem in check.problems(of: classPackets, seed: seed) {
        let text = "\(FuzzFailure.Kind.classDiffers.rawValue): \(problem)"
        result.failures.append(FuzzFailure(.classDiffers, style, text))
      }
    }
  }

  /// Sends the flows as packets. Unexpected silence may only mean that the machine is slow, so those flows are asked
  /// again with more patience. Listeners to multicast groups are asked one by one, and at most two of them.
  private mutating func observe(_ flows: [Flow], _ plan: LabPlan) throws -> [Flow: Observation] {
    guard var lab else { return [:] }
    defer { self.lab = lab }
    let groups = flows.filter(\.destinationAddress.isMulticast)
    let asked = flows.filter { !$0.destinationAddress.isMulticast } + groups.prefix(2)
    let seen = try lab.observe(asked, patiently: [.milliseconds(250), .milliseconds(1200)])
    return Dictionary(zip(asked, seen)) { first, _ in first }
  }
}
