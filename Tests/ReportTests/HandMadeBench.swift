import NetpolModel
import StandingLab
import Statistics
import Worlds

@testable import Bench

/// Bench reports made by hand, with everything that reports may have.
enum HandMadeBench {
  static let environment = LabEnvironment.handMade("all")

  /// Two worlds, one probe, and two styles `one` and `two`, with rows made by `CellTable` from samples. The parameters
  /// are the styles' costs over no rules, the noise in either direction, and how much more `two` costs when it is
  /// measured again, all in nanoseconds.
  static func packets(one: Double, two: Double, noise: Double = 1, pair: Double = 0) throws -> PacketBenchReport {
    var report = PacketBenchReport(
      environment: environment, machine: "a machine", rounds: 40, batches: 1, measuredRounds: [40],
      clock: .processor, isRealTime: true, reference: "two")
    let points = [10, 100].map { PacketSweep.Point(BenchWorld(pods: $0), [BenchProbe(.established, .lastPod)]) }
    var random = SplitMix64(seed: 3)
    // The first world's twin of the reference, and the reference again.
    let costs = [0, 100, one, two, two + pair, two + pair, 0, 100, one * 10, two]
    let values = costs.map { cost in
      (0..<40).map { _ in 1000 + cost + Double.random(in: -noise...noise, using: &random) }
    }
    CellTable(points, counts: [6, 4]).tell(
      PairedSamples(values), names: [BenchRules.none.name, BenchRules.conntrackOnly.name, "one", "two"], batch: 0,
      &report)
    return report
  }

  static func micro() throws -> MicroBenchReport {
    MicroBenchReport(
      environment: environment, machine: "a machine", rounds: 40, measuredRounds: 12, clock: .wall,
      isRealTime: false, packet: Estimate(1000, 990, 1010),
      rows: [.init(backend: "nft", name: "jump", cost: Estimate(12, 11, 13))],
      sameNamespace: Estimate(0, -90, 90), otherNamespace: Estimate(1, 0, 2), duration: .seconds(1))
  }

  static func policies() throws -> PolicyBenchReport {
    let pair = PacketBenchReport.Resolution(
      batch: 0, .sameNamespace, BenchProbe(.first, .spread), what: "what was sent", "two", Estimate(90, 80, 100),
      base: 1000)
    return PolicyBenchReport(
      environment: environment, machine: "a machine",
      origin: .init(node: "node1", pods: 3, policies: 2, flows: 9, unequal: 1),
      sent: [.init(flow: "a -> b", family: .v6, way: .bridged, isAllowed: false)], rounds: 40, measuredRounds: 12,
      clock: .processor, isRealTime: true,
      rows: [
        .init(
          flows: "a -> b", family: .v6, phase: .first, isAllowed: false, rules: "two", packet: Estimate(1, 1, 1),
          overNothing: Estimate(1, 1, 1))
      ], resolutions: [pair],
      verdicts: [
        .init(flows: "a -> b", phase: .first, standing: .cheapest("two")),
        .init(flows: "a -> b", phase: .first, standing: .undecided(["one", "two"])),
      ])
  }

  static func apply() throws -> ApplyBenchReport {
    var report = ApplyBenchReport(environment: environment, options: ApplyBenchOptions())
    let objects = ApplyBenchReport.RuleCount(rules: 1, chains: 2, sets: 3, elements: 4)
    report.applies = [
      .init(style: "one", way: "slow", times: Distribution([4e6, 5e6]), parts: [], ratio: nil, objects: objects)
    ]
    report.memory = [.init(style: "one", bytes: Distribution([]))]
    return report
  }

  static let services = [10, 100].map { ServiceWorld(services: $0) }
  static let serviceProbes = [ServiceProbe(.clusterIP, .last), ServiceProbe(.nodePort, .any)]

  /// Two worlds, two probes and both modes, with rows made by `ServiceCells` from samples. In iptables mode the last
  /// Service costs ten times as much with ten times the Services. `pair` is how much more nftables mode costs when it is
  /// measured again, and `noise` is that of every value in either direction, in nanoseconds.
  static func services(pair: Double = 0, noise: Double = 1, hasSyncs: Bool = true) -> ServiceBenchReport {
    var options = ServiceBenchOptions()
    (options.services, options.rounds, options.syncs) = ([10, 100], 40, 7)
    var report = ServiceBenchReport(
      environment: environment, machine: "a machine", release: .latest, options: options)
    report.measuredRounds = 40
    // No rules, nat only, iptables, nftables, nftables again, and in the first world in another namespace.
    let costs: [Double] = [
      0, 500, 2000, 1000, 1000 + pair, 1010, 0, 500, 4000, 2000, 2000, 2020,
      0, 500, 20_000, 1000, 1000, 0, 500, 8000, 2000, 2000,
    ]
    var random = SplitMix64(seed: 3)
    let values = costs.map { cost in
      (0..<40).map { _ in 1000 + cost + Double.random(in: -noise...noise, using: &random) }
    }
    let names = [ServiceBenchReport.noRules, ServiceBenchReport.natOnly, "iptables", "nftables"]
    ServiceCells(worlds: services, probes: serviceProbes, rules: names).tell(PairedSamples(values), &report)
    if !hasSyncs { return report }
    report.syncedWorlds = 2
    report.syncs = services.flatMap { world in
      [
        ("iptables", "iptables-restore --noflush"), ("nftables", "nft -f"),
        ("nftables", "one transaction over netlink"),
      ]
      .map { rules, way in
        .init(
          world: world, rules: rules, way: way,
          objects: .init(rules: 1, chains: 2, sets: 3, elements: 4),
          full: Distribution((1...7).map { Double($0) * 1e6 }), change: Distribution((1...7).map { Double($0) * 1e5 }),
          fullBytes: 1000, changeBytes: 100)
      }
    }
    return report
  }
}
