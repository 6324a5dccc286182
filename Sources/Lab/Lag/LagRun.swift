internal import Glibc
internal import Kernel
internal import Lowering
public import NetpolModel
internal import Network
internal import Path
internal import StandingLab
internal import Text

/// Measures how long a new pod's packets are lost and how long they are not policed: with real packets, while a real
/// enforcer works.
public struct LagRun: Sendable {
  public let options: LagOptions
  private let actors: LagActors
  private let description: String
  private let change: String
  private var plan: LagPlan?

  /// The sender takes precedence over the enforcer, and the enforcer over everything else.
  static let senderPriority = 50
  static let enforcerPriority = 40
  private static let conductorPriority = 45

  /// Measures in a generated world.
  public init(_ world: LagWorld, _ scenario: LagScenario, burst: Int, defaultDeny: Bool, options: LagOptions) {
    self.options = options
    actors = LagActors(world, scenario, burst: burst, defaultDeny: defaultDeny)
    let (pods, policies) = (actors.before.pods.count, actors.before.policies.count)
    let more = [
      pods > world.pods ? counted(pods - world.pods, "pod") : nil,
      policies > world.policies ? counted(policies - world.policies, "policy", "policies") : nil,
    ].compactMap { $0 }
    description =
      "A world with \(counted(policies, "policy", "policies")), \(counted(pods, "pod")), "
      + "\(actors.before.pods.count { $0.node == LagWorld.node }) of them on the new pod's node"
      + (more.isEmpty ? "" : " (\(more.joined(separator: " and ")) more than asked for, which the lab needs)")
    let who = burst == 1 ? "A pod" : "\(burst) pods (all at once)"
    change =
      switch scenario {
      case .newPod: "\(who) \(burst == 1 ? "is" : "are") created in namespace \(LagWorld.namespace)"
      case .relabelled: "\(who) \(burst == 1 ? "gets" : "get") new labels"
      case .reusedAddress: "\(who) \(burst == 1 ? "takes" : "take") the address of a deleted pod"
      }
  }

  /// Measures in a user's world, with one of its pods as the newcomer.
  public init(_ cluster: Cluster, newcomer: Pod, options: LagOptions) {
    self.options = options
    actors = LagActors(cluster, newcomer: newcomer)
    description = "\(counted(cluster.policies.count, "policy", "policies")), \(counted(cluster.pods.count, "pod"))"
    change = "\(newcomer.id) is created"
  }

  /// A step of a run, for progress output.
  public enum Progress: Sendable {
    case planning
    case firstSync
    case trial(Int, of: Int)
    case requests(Int, of: Int)
    case countingPairs
  }

  /// Plans the run. Needs no lab. Throws `NothingToAsk` if nothing about the newcomer changes.
  public mutating func requireChange() throws { plan = try makePlan() }

  private func makePlan() throws -> LagPlan {
    let plan = try LagPlan(actors, options.style, target: options.target, clients: options.requests)
    if !plan.streams.contains(where: { $0.change != .staysOpen }) {
      throw NothingToAsk(description: plan.notes.joined(separator: "; "))
    }
    return plan
  }

  /// Throws `NothingToAsk` if nothing about the newcomer changes, and `LabFailure` if this machine can't run the lab.
  public func run(version: String, progress: @escaping (Progress) -> Void = { _ in }) throws -> LagReport {
    try withWorker(version: version, style: options.style.name) { environment, worker in
      try run(environment, worker, progress)
    }
  }

  private func run(
    _ environment: LabEnvironment, _ worker: NamespaceWorker, _ progress: @escaping (Progress) -> Void
  ) throws -> LagReport {
    let begin = ContinuousClock().now
    if options.agent == .fullSync, let fullSync = options.style.fullSync {
      try environment.requirePrograms(of: fullSync)
    }
    progress(.planning)
    let whole = try self.plan ?? makePlan()
    let stage = whole.stage
    let fabric = try Fabric(
      Topology(stage), families: stage.families, bridgeNetfilter: stage.settings.bridgeNetfilter, liftICMPLimits: false,
      worker: worker)
    progress(.firstSync)
    let isRealTime = RealTimeScheduling.obstacle(to: Self.senderPriority) == nil
    let enforcers = try Enforcers(whole, options, style: options.style, fabric: fabric, isRealTime: isRealTime)
    defer { enforcers.close() }
    // The first syncs are slower than later ones.
    try enforcers.settle(actors.events)
    let moment = MonotonicClock.now
    let switched = try enforcers.settle(actors.undoing).values.compactMap(\.firstSwitch).min()
    let took = Duration.nanoseconds(MonotonicClock.now - moment)

    try waitForLinks(whole, fabric, worker)
    let pace = try pace(
      whole, fabric, worker, isRealTime: isRealTime,
      window: switched.map { .nanoseconds($0 - moment) } ?? took, syncTakes: took)
    let plan = whole.sampling(pace.mostStreams)
    let spacing = pace.spacing
    let churn = options.churn > 0 ? try Churn(plan, enforcers, perSecond: options.churn) : nil
    let shares = pace.shares(plan.streams)
    var measurement = LagMeasurement(
      plan.streams, options.style, options.agent,
      spacings: shares.map { Double($0.every) * (spacing / .nanoseconds(1)) },
      toleratesGaps: actors.newcomers.contains { $0.before != nil }, isChurned: options.churn > 0)
    var random = SystemRandomNumberGenerator()
    for number in 0..<options.trials {
      progress(.trial(number + 1, of: options.trials))
      let capacity = Int((took * 4 + .seconds(2) + options.apiDelay.longest) / spacing)
      let run = try StreamRun(
        datagramStreams(plan.streams, shares, fabric), spacing: spacing, capacity: capacity,
        realTimePriority: isRealTime ? Self.senderPriority : nil, worker: worker)
      let delay = options.apiDelay.sample(&random)
      let trial = try RealTimeScheduling.whilePermitted(Self.conductorPriority) {
        try self.trial(run, enforcers, delay: delay)
      }
      measurement.add(trial, number: number + 1, nodes: plan.nodes)
    }
    churn?.end()

    var notes = plan.notes
    if plan.nodes.count > 1 {
      notes.append(
        "the enforcers of \(plan.nodes.count) nodes share this machine, so each is slower than on a node of its own")
    }
    if let reason = pace.reason { notes.append(reason) }
    let (watched, all) = (plan.watchedNewcomers, actors.newcomers.count)
    if watched < all {
      notes.append("packets of \(watched) of the \(all) new pods are watched, so that each is sampled often enough")
    }
    if options.agent == .fullSync, options.style.fullSync == .iptables, !NetlinkSocket.canForceBuffers {
      notes.append(
        "an ordinary user's iptables-restore can't load many rules at once, so each sync loaded them in parts; "
          + "kube-router's doesn't, so measure as root")
    }
    var requests: [RequestResult] = []
    var survivors: [Survivor] = []
    if options.requests > 0, let targets = plan.requestTargets, !plan.clients.isEmpty {
      let requestRun = try RequestRun(plan, targets, options, fabric: fabric, isRealTime: isRealTime)
      defer { requestRun.worker.close() }
      (requests, survivors) = try requestRun.run(enforcers) { progress(.requests($0, of: $1)) }
    }
    progress(.countingPairs)
    return LagReport(
      environment: environment, options: options,
      world: LagReport.World(
        description: description, policies: actors.before.policies.count, pods: actors.before.pods.count,
        local: actors.before.pods.count { $0.node == actors.newcomers.first?.after.node }, change: change,
        nodes: plan.nodes),
      streams: measurement.results, betweenWindows: measurement.betweenWindows, timeline: measurement.timeline,
      processes: measurement.processRows,
      resolution: measurement.resolution(spacing: spacing, isRealTime: isRealTime), requests: requests,
      survivors: survivors, example: measurement.example, opened: OpenedPairs(plan), notes: notes,
      findings: enforcers.failures.map { "a sync was aborted: \($0)" } + measurement.findings,
      duration: ContinuousClock().now - begin)
  }

  /// A bridge's new port forwards nothing until the kernel has seen its carrier, which takes up to a second.
  private func waitForLinks(_ plan: LagPlan, _ fabric: Fabric, _ worker: NamespaceWorker) throws {
    let open = plan.streams.filter { $0.change != .opens }
    if open.isEmpty {
      usleep(1_500_000)
      return
    }
    for _ in 0..<50 {
      let run = try StreamRun(
        datagramStreams(open, open.map { _ in (1, 0) }, fabric), spacing: .milliseconds(1), capacity: 1000,
        worker: worker)
      try run.start()
      usleep(30_000)
      if try run.stop().allSatisfy({ $0.received.last.map { $0 > 0 } ?? false }) { return }
    }
    throw LabError("no packets pass between the lab's pods where the rules allow them")
  }

  private func trial(_ run: StreamRun, _ enforcers: Enforcers, delay: Duration) throws -> LagTrial {
    try run.start()
    // The datagrams before the start show the old state. The start is at a random phase of the beat.
    usleep(3000 + .random(in: 0..<1000))
    let start = MonotonicClock.now
    if delay > .zero { usleep(UInt32(clamping: Int(delay / .microseconds(1)))) }
    let event = MonotonicClock.now
    enforcers.notify(actors.events)
    try enforcers.waitForEffect(since: event)
    usleep(3000)
    let records = try run.stop()
    let syncs = try enforcers.waitForEnd(since: event, knowing: actors.newcomers.map(\.after))
    let quiet = try enforcers.settle(actors.undoing)
    return LagTrial(start: start, event: event, records: records, syncs: syncs, quietSyncs: quiet)
  }

  private func datagramStreams(
    _ streams: [LagStream], _ shares: [(every: Int, phase: Int)], _ fabric: Fabric
  ) -> [DatagramStream] {
    zip(streams, shares).compactMap { stream, share in
      guard let from = fabric.namespace(of: stream.flow.source), let to = fabric.namespace(of: stream.flow.destination),
        let port = stream.flow.transportPort
      else { return nil }
      return DatagramStream(
        port.transport == .tcp ? .tcp : .udp, from: from, sourceAddress: stream.flow.sourceAddress.bytes,
        to: ProbeAddress(stream.flow.destinationAddress.bytes, port: port.port), in: to, every: share.every,
        phase: share.phase)
    }
  }

  /// The rate to send at, derived from the cost of one datagram through these rules.
  private func pace(
    _ plan: LagPlan, _ fabric: Fabric, _ worker: NamespaceWorker, isRealTime: Bool, window: Duration,
    syncTakes took: Duration
  ) throws -> LagPace {
    let run = try StreamRun(
      datagramStreams(plan.streams, plan.streams.map { _ in (1, 0) }, fabric), spacing: .milliseconds(1),
      capacity: 1000,
      realTimePriority: isRealTime ? Self.senderPriority : nil, worker: worker)
    try run.start()
    usleep(150_000)
    return LagPace(
      LagPace.cost(try run.stop()), streams: plan.streams.count, wanted: options.spacing, window: window,
      syncTakes: took)
  }
}

extension APIDelay {
  /// The longest delay that a trial's records have room for.
  fileprivate var longest: Duration {
    switch self {
    case .none: .zero
    case .constant(let delay): delay
    case .uniform(let range): range.upperBound
    case .exponential(let mean): mean * 20
    }
  }
}
