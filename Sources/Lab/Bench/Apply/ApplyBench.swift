internal import Apply
internal import Kernel
public import Lowering
internal import RuleIR
internal import StandingLab

/// Measures how long it takes to load rules into the kernel and to change them there, and how much memory they need.
public struct ApplyBench: Sendable {
  public enum Progress: Hashable, Sendable {
    case apply(round: Int, of: Int)
    case sync(String)
    case updates(String)
    case newPod(String)
    case memory(String)
  }

  /// The pause before a change that is not back to back, in microseconds.
  static let pause: UInt32 = 2000
  /// Real-time priority of what is timed in microseconds. Programs and everything else run as ordinary processes.
  static let priority = 40

  private let options: ApplyBenchOptions
  private let world: ApplyWorld
  /// Styles whose rules are loaded.
  private let styles: [EnforcementStyle]
  /// Styles whose controllers' syncs are measured.
  private let synced: [EnforcementStyle]

  public init(_ options: ApplyBenchOptions, styles: [EnforcementStyle] = EnforcementStyle.all) {
    self.options = options
    world = ApplyWorld(policies: options.policies, pods: options.pods)
    self.styles = styles.filter { !$0.loadsLikeAnother }
    synced = styles.filter { $0.fullSync != nil }
  }

  /// Throws `LabFailure` if this machine can't run the lab.
  public func run(version: String, _ progress: @escaping (Progress) -> Void = { _ in }) throws -> ApplyBenchReport {
    try withWorker(version: version, style: styles.map(\.name).joined(separator: ", ")) { environment, worker in
      try environment.requireAllPrograms()
      let clock = ContinuousClock()
      let begin = clock.now
      var report = ApplyBenchReport(environment: environment, options: options)
      report.isRealTime = RealTimeScheduling.obstacle(to: Self.priority) == nil
      var applies = try FullApplies(world, styles, on: worker)
      try applies.run(rounds: options.rounds) { progress(.apply(round: $0, of: options.rounds)) }
      report.applies = applies.rows
      report.updates = try updates(on: worker, progress)
      report.newPods = try newPods(on: worker, progress)
      report.memory = try memory(on: worker, progress)
      report.syncs = try syncs(on: worker, progress)
      report.duration = clock.now - begin
      return report
    }
  }

  private func syncs(
    on worker: NamespaceWorker, _ progress: (Progress) -> Void
  ) throws -> [ApplyBenchReport.Sync] {
    if options.syncs == 0 { return [] }
    var syncs = synced.map { (style: $0, runs: WholeSyncs($0)) }
    for _ in 0..<options.syncs {
      for index in syncs.indices {
        progress(.sync(syncs[index].style.name))
        try syncs[index].runs.run(world, on: worker)
      }
    }
    return syncs.map(\.runs.row)
  }

  private func updates(
    on worker: NamespaceWorker, _ progress: (Progress) -> Void
  ) throws -> [ApplyBenchReport.Update] {
    var rows: [ApplyBenchReport.Update] = []
    for target in UpdateTarget.all(world, styles) {
      progress(.updates(target.rules))
      let namespace = try worker.makeNamespace()
      let loader = try RuleLoader(worker: worker)
      try loader.load(target.ruleset, in: namespace)
      let socket = try worker.run(in: namespace) { try NetlinkSocket(.netfilter) }
      for update in target.updates {
        rows += try update.measure(options.updates, pause: Self.pause, over: socket)
      }
    }
    return rows
  }

  private func newPods(
    on worker: NamespaceWorker, _ progress: (Progress) -> Void
  ) throws -> [ApplyBenchReport.NewPod] {
    let cases = [(0, "policies that another pod has"), (options.policies, "a policy that no pod had")]
    // Only nft can make a change in one transaction.
    return try styles.filter { $0.backend == .nftables }.reversed().flatMap { style in
      try cases.map { policy, what in
        progress(.newPod("\(style.name), \(what)"))
        // Rules with thousands of chains take milliseconds to change.
        let count = style.costPerPod == 0 ? options.updates : max(10, options.updates / 20)
        let update = NewPodUpdate(style, world, withPolicy: policy, what)
        return try update.measure(
          count, pause: Self.pause, lowerings: options.rounds, in: try worker.makeNamespace(), on: worker)
      }
    }
  }

  private func memory(
    on worker: NamespaceWorker, _ progress: (Progress) -> Void
  ) throws -> [ApplyBenchReport.Memory] {
    var memories = styles.map { RuleMemory($0, world) }
    for _ in 0..<min(options.rounds, 5) {
      for index in memories.indices {
        progress(.memory(memories[index].style.name))
        try memories[index].measure(copies: options.copies, on: worker)
      }
    }
    return memories.map(\.row)
  }
}
