import Enforcement
import EngineComparison
import Lowering
import Manifests
import NetpolModel
import Path
import StandingLab
import Statistics
import Testing
import Verdicts

@testable import Bench
@testable import Lag
@testable import Run

/// Results made by hand, with everything that reports may have. They need no namespaces and no programs.
enum HandMade {
  static let environment = LabEnvironment(
    version: "test", style: "a style", kernel: "6.0", iptables: .found("iptables v1"), nft: .found("nft v1"),
    ipset: .found("ipset v7"))
  static let heading = "netpol-lab test, style a style, Linux 6.0, iptables v1, nft v1, ipset v7"

  static let world = """
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: web, labels: {app: web}}
    spec: {nodeName: node1, containers: [{name: c}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: client}
    spec: {nodeName: node1, containers: [{name: c}]}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: silence}
    spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}

    """

  /// By default the kernel does what the rules say.
  static func run(
    from: String? = nil, kernel: (Flow, Verdict) -> Observation = { $1 == .allow ? .delivered : .refused(.reset) }
  ) throws -> RunReport {
    let cluster = try readManifests([ManifestSource(name: "world.yaml", text: world)]).cluster
    let topology = Topology(cluster)
    let selection = ProbePlan.Selection(
      source: from.map { .pod(PodID("app", $0)) }, destination: from.map { _ in .pod(PodID("app", "web")) },
      ports: from == nil ? [80, 81].map { TransportPort(.tcp, $0) } : [TransportPort(.tcp, 80)])
    let plan = ProbePlan(cluster, topology, only: selection)
    let style = EnforcementStyle.kubeRouterK3s
    let comparer = Comparer(cluster, try EnforcedCluster(cluster, topology, style, versionStamp: "1"))
    let evaluated = comparer.compare(plan.flows, plan.flows.map { _ in nil })
    let observations = evaluated.map { kernel($0.flow, $0.evaluated ?? .deny) }
    return RunReport(
      environment: environment, cluster: cluster, plan: plan,
      comparisons: comparer.compare(plan.flows, observations),
      timings: .init(build: .milliseconds(10), load: .milliseconds(20), probe: .milliseconds(300)))
  }

  static func lag() throws -> LagReport {
    let address = { (text: String) in try #require(IPAddress(text)) }
    let flow = try Flow(
      from: .pod(PodID("app", "new")), address("10.42.0.9"), to: .pod(PodID("app", "web")), address("10.42.0.2"), .udp,
      53)
    let windows = Distribution((1...10).map { Double($0) * 1e7 })
    let stream = LagReport.StreamResult(
      stream: LagStream(
        flow: flow, newcomer: 0, change: .opens, isOutgoing: true, decidedBy: "app/let-in, podSelector"),
      windows: windows, fromEvent: windows, brackets: Distribution([1e5]), inWindow: Distribution([100]), sent: 2000,
      lost: 500, gaps: Distribution([]), spacing: .microseconds(50), undecided: ["nothing came": 2])
    var report = LagReport(
      environment: environment, options: LagOptions(style: .kubeRouterK3s),
      world: .init(
        description: "2 policies, 3 pods", policies: 2, pods: 3, local: 1, change: "a pod comes", nodes: ["node1"]),
      streams: [stream], betweenWindows: Distribution([1e7, 2e7]),
      timeline: [.init(name: "rules loaded", times: Distribution([2e7, 3e7]))],
      processes: [.init(name: "iptables-restore", perSync: 2, times: Distribution([4e6]))],
      resolution: .init(
        spacing: .microseconds(50), brackets: Distribution([1]), skipped: 1, beats: 1000, isRealTime: true,
        slowdown: Distribution([1.01, 1.02])),
      example: LagExample(streams: [[(at: -1e6, passed: false), (at: 1e6, passed: true)]]), opened: nil,
      notes: ["nothing of IPv6"], findings: [], duration: .seconds(2))
    report.survivors = [Survivor(what: "a connection", stillWorks: 1, asked: 2)]
    return report
  }

  /// A cell without rules and two styles.
  static var packets: PacketBenchReport {
    let world = BenchWorld(pods: 10)
    let probe = BenchProbe(.established, .lastPod)
    let row = { (rules: String, over: Double, times: Estimate?) in
      PacketBenchReport.Row(
        batch: 0, world: world, probe: probe, rules: rules, packet: Estimate(1000 + over, 990 + over, 1010 + over),
        overNothing: Estimate(over, over - 1, over + 1), overConntrack: Estimate(over / 2, over / 2 - 1, over / 2 + 1),
        timesReference: times)
    }
    return PacketBenchReport(
      environment: environment, machine: "a machine", rounds: 40, batches: 1, measuredRounds: [12], clock: .processor,
      isRealTime: true, reference: "two",
      rows: [row(BenchRules.none.name, 0, nil), row("one", 90.25, Estimate(3, 2, 4)), row("two", 30, nil)],
      verdicts: [.init(batch: 0, world: world, probe: probe, standing: .cheapest("two"))], duration: .seconds(3))
  }

  static var micro: MicroBenchReport {
    MicroBenchReport(
      environment: environment, machine: "a machine", rounds: 40, measuredRounds: 40, clock: .wall, isRealTime: false,
      packet: Estimate(1000, 990, 1010), rows: [.init(backend: "nft", name: "jump", cost: Estimate(12.25, 11, 13))],
      sameNamespace: Estimate(0, -1, 1), otherNamespace: Estimate(1, 0, 2), duration: .seconds(1))
  }

  static var apply: ApplyBenchReport {
    var report = ApplyBenchReport(environment: environment, options: ApplyBenchOptions())
    let objects = ApplyBenchReport.RuleCount(rules: 1, chains: 2, sets: 3, elements: 4)
    report.applies = [
      .init(style: "one", way: "slow", times: Distribution([4e6, 5e6]), parts: [], ratio: nil, objects: objects)
    ]
    report.memory = [.init(style: "one", bytes: Distribution([]))]
    return report
  }

  static let engines = EngineBenchReport(
    version: "test", machine: "a machine", pods: 3, policies: 1, nodes: 2, flows: 12,
    rows: [
      .init(
        engine: "evaluator", style: "one", verdicts: 12, allowedShare: 0.25, perSecond: 2e6, compared: 6, different: 0,
        perSecondOneByOne: nil, walked: 1, loweringSeconds: 0.5, preparationSeconds: 0.25, preparedBytes: 1 << 20,
        batchBytes: 1 << 20)
    ])
}
