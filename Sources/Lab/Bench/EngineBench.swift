internal import Enforcement
internal import Kernel
public import Lowering
public import NetpolModel
internal import Oracle
internal import Path
internal import StandingLab

/// Measures how many verdicts the user-space engines give per second of processor time, one by one and in batches, and
/// checks that both give the same verdicts.
public struct EngineBench: Sendable {
  public enum Flows: Sendable {
    /// This many different flows, half of them within a namespace.
    case some(Int)
    /// Every ordered pair of pods once.
    case allPairs
  }

  public var styles: [EnforcementStyle]
  public var flows: Flows
  /// Number of flows that are also judged one by one and compared. They are evenly spread over all flows.
  public var sample: Int
  public var seed: UInt64

  public init(styles: [EnforcementStyle], flows: Flows, sample: Int, seed: UInt64) {
    self.styles = styles
    self.flows = flows
    self.sample = sample
    self.seed = seed
  }

  public struct Progress: Sendable {
    public let engine: String
    public let done, of: Int
  }

  /// Number of flows that are judged in one call.
  private static let chunk = 65_536

  /// Uses IPv4 if the cluster has it, otherwise IPv6. Throws `NothingToAsk` if fewer than two pods have a node and an
  /// address, and `IllFormed` if a kernel would refuse a style's rules.
  public func run(_ cluster: Cluster, version: String, progress: @escaping (Progress) -> Void) throws
    -> EngineBenchReport
  {
    let topology = Topology(cluster)
    let family = cluster.families.first ?? .v4
    let pods = cluster.pods.filter { topology.pods[$0.id] != nil && topology.address(of: .pod($0.id), family) != nil }
    if pods.count < 2 { throw NothingToAsk(description: "fewer than two pods have a node and an address") }
    let endpoints = pods.map { Endpoint.pod($0.id) }
    let flows = EngineFlows(
      cluster, namespaces: pods.map(\.id.namespace), choice: flows.choice, seed: seed)
    var rows: [EngineBenchReport.Row] = []
    for style in styles {
      let memory = PeakMemory()
      let begin = processorTime()
      let enforced = try EnforcedCluster(cluster, topology, style, versionStamp: "1")
      let lowered = processorTime()
      var batch = EnforcedBatch(enforced, family, endpoints: endpoints)
      let prepared = processorTime()
      let loweredMemory = memory.growth
      let batchMemory = PeakMemory()
      var run = BatchRun(name: "evaluator, \(style.name)", sample: sample, progress: progress)
      run.judge(flows, inBatch: { batch.verdicts(of: $0) }, oneByOne: { batch.flow($0).flatMap(enforced.verdict) })
      rows.append(
        run.row(
          engine: "evaluator", style: style.name, lowering: lowered - begin, preparation: prepared - lowered,
          memory: (loweredMemory, batchMemory.growth), walked: batch.walked))
    }
    rows.append(oracleRow(cluster, topology, family, endpoints, flows, progress))
    return EngineBenchReport(
      version: version, machine: machineText(), pods: pods.count, policies: cluster.policies.count,
      nodes: cluster.nodes.count, flows: flows.count, rows: rows)
  }

  private func oracleRow(
    _ cluster: Cluster, _ topology: Topology, _ family: IPFamily, _ endpoints: [Endpoint], _ flows: EngineFlows,
    _ progress: @escaping (Progress) -> Void
  ) -> EngineBenchReport.Row {
    let memory = PeakMemory()
    let begin = processorTime()
    let oracle = Oracle(cluster)
    let batch = OracleBatch(
      oracle, endpoints: endpoints, addresses: endpoints.map { topology.address(of: $0, family) })
    let prepared = processorTime()
    let preparedMemory = memory.growth
    let batchMemory = PeakMemory()
    var run = BatchRun(name: "oracle", sample: sample, progress: progress)
    run.judge(
      flows, inBatch: { batch.verdicts(of: $0) }, oneByOne: { batch.flow($0).map { oracle.judge($0).verdict } })
    return run.row(
      engine: "oracle", style: nil, lowering: .zero, preparation: prepared - begin,
      memory: (preparedMemory, batchMemory.growth), walked: 0)
  }

  /// The run of one engine over all flows.
  private struct BatchRun {
    let name: String
    let sample: Int
    let progress: (Progress) -> Void
    private var done = 0
    private var allowed = 0
    private var batchTime = Duration.zero
    private var compared = 0
    private var different = 0
    private var singleTime = Duration.zero

    init(name: String, sample: Int, progress: @escaping (Progress) -> Void) {
      self.name = name
      self.sample = sample
      self.progress = progress
    }

    mutating func judge(
      _ all: EngineFlows, inBatch: ([NumberedFlow]) -> [Verdict?], oneByOne: (NumberedFlow) -> Verdict?
    ) {
      var all = all
      let step = sample > 0 ? max(1, all.count / sample) : Int.max
      var next = 0
      while true {
        let flows = all.next(EngineBench.chunk)
        if flows.isEmpty { return }
        let begin = processorTime()
        let verdicts = inBatch(flows)
        let judged = processorTime()
        batchTime += judged - begin
        allowed += verdicts.count { $0 == .allow }
        while next < done + flows.count, compared < sample {
          let index = next - done
          if oneByOne(flows[index]) != verdicts[index] { different += 1 }
          compared += 1
          next += step
        }
        singleTime += processorTime() - judged
        done += flows.count
        progress(Progress(engine: name, done: done, of: all.count))
      }
    }

    func row(
      engine: String, style: String?, lowering: Duration, preparation: Duration, memory: (Int?, Int?), walked: Int
    ) -> EngineBenchReport.Row {
      EngineBenchReport.Row(
        engine: engine, style: style, verdicts: done, allowedShare: done == 0 ? 0 : Double(allowed) / Double(done),
        perSecond: done == 0 ? 0 : Double(done) / (batchTime / .seconds(1)), compared: compared, different: different,
        perSecondOneByOne: compared == 0 ? nil : Double(compared) / (singleTime / .seconds(1)), walked: walked,
        loweringSeconds: lowering / .seconds(1), preparationSeconds: preparation / .seconds(1),
        preparedBytes: memory.0, batchBytes: memory.1)
    }
  }
}

/// Processor time of this thread. Other load on the machine does not count.
private func processorTime() -> Duration { .nanoseconds(Int64(clamping: ThreadTime.used)) }

extension EngineBench.Flows {
  fileprivate var choice: EngineFlows.Choice {
    switch self {
    case .some(let count): .some(count)
    case .allPairs: .allPairs
    }
  }
}
