internal import Apply
internal import Kernel
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

/// Measures what the first packet of a connection to a Service costs in kube-proxy's modes, and how long kube-proxy's
/// rules take to load and to change.
public struct ServiceBench: Sendable {
  private let options: ServiceBenchOptions

  public init(_ options: ServiceBenchOptions) { self.options = options }

  /// If `stop` returns true, the report covers what was measured until then.
  ///
  /// Throws `LabFailure` if this machine can't run the lab or packets don't reach an endpoint, and `Interrupted` if it is
  /// stopped too early.
  public func run(
    version: String, progress: (BenchProgress) -> Void = { _ in }, stop: () -> Bool = { false }
  ) throws -> ServiceBenchReport {
    try withWorker(version: version) { environment, worker in
      try environment.requireAllPrograms()
      let begin = ContinuousClock.now
      var report = ServiceBenchReport(
        environment: environment, machine: machineText(), release: .latest, options: options)
      do { try measurePackets(&report, worker, progress, stop) } catch  where stop() {
        // Ctrl-C also ends a program that is loading rules.
        throw Interrupted()
      }
      if options.syncs > 0 { try measureSyncs(&report, worker, progress, stop) }
      report.duration = ContinuousClock.now - begin
      return report
    }
  }

  /// The smallest world first, because the largest takes longer than all others.
  private func measureSyncs(
    _ report: inout ServiceBenchReport, _ worker: NamespaceWorker, _ progress: (BenchProgress) -> Void,
    _ stop: () -> Bool
  ) throws {
    for (number, world) in options.worlds.enumerated() {
      if stop() { return }
      var syncs = try ProxySyncRounds(world, on: worker)
      do {
        try syncs.run(rounds: options.syncs) { step in
          var step = step
          (step.batch, step.batches) = (number + 1, options.worlds.count)
          progress(step)
        } stop: {
          stop()
        }
      } catch  where stop() {}
      report.syncs += syncs.rows
      if syncs.rounds == options.syncs { report.syncedWorlds += 1 }
    }
  }

  /// A node with rules, and the cells of its probes in one world.
  private struct Variant {
    let name: String
    let path: PacketPath
    let translates: Bool
  }

  private func measurePackets(
    _ report: inout ServiceBenchReport, _ worker: NamespaceWorker, _ progress: (BenchProgress) -> Void,
    _ stop: () -> Bool
  ) throws {
    let (worlds, probes) = (options.worlds, ServiceProbe.all)
    guard let least = worlds.first else { return }
    // Nodes without kube-proxy are the same in every world. The last mode of the first world has another namespace.
    let modes = ProxyRules.modes.map { ProxyRules.kubeProxy($0) }
    let references: [(ProxyRules, ServiceWorld)] = [(.none, least), (.natOnly, least)]
    let twin = modes.suffix(1).map { ($0, least) }
    let wanted = references + worlds.flatMap { world in modes.map { ($0, world) } } + twin
    let paths = try wanted.map { _ in
      try PacketPath(least.addresses, firstPackets: .toPort(ServiceWorld.targetPort), worker: worker)
    }
    for path in paths { try path.waitForLinks() }
    let loader = try RuleLoader(worker: worker)
    let variants = try zip(wanted, paths).enumerated().map { number, pair in
      let ((rules, world), path) = pair
      if stop() { throw Interrupted() }
      progress(BenchProgress(.building(number + 1, of: wanted.count)))
      if let ruleset = rules.ruleset(world) { try loader.load(ruleset, in: path.node) }
      return Variant(name: rules.name, path: path, translates: rules.translates)
    }
    progress(BenchProgress(.checking))
    let groups = try worlds.enumerated().flatMap { place, world in
      let own = variants.prefix(2) + variants[(2 + place * modes.count)...].prefix(modes.count)
      return try probes.map { probe in
        if stop() { throw Interrupted() }
        func cell(_ variant: Variant) throws -> PacketCell {
          let flows = world.flows(probe, direct: !variant.translates, seed: options.seed)
          let cell = PacketCell(variant.path, .first, flows, isAllowed: true)
          try cell.check("\(variant.name), \(world.text), \(probe.name)")
          return cell
        }
        let cells = try own.map(cell)
        return try cells + cells.suffix(1) + (place == 0 ? variants.suffix(1).map(cell) : [])
      }
    }
    let run = try InterleavedRun(worker: worker, rounds: options.rounds, seed: options.seed).run(
      groups, progress: progress, stop: stop)
    (report.measuredRounds, report.clock, report.isRealTime) = (run.samples.rounds, run.clock, run.isRealTime)
    let names = variants.prefix(2 + modes.count).map(\.name)
    ServiceCells(worlds: worlds, probes: probes, rules: Array(names)).tell(run.samples, &report)
  }
}

extension ServiceWorld {
  public var text: String { "\(servicesText), \(counted(endpoints, "endpoint")) each" }
  public var servicesText: String { counted(services, "Service") }
}
