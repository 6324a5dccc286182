import ArgumentParser
import Documents
import Foundation
import Lag
import Lowering
import Manifests
import NetpolModel
import Report

struct LagCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lag",
    abstract: "Measure how long a new pod's packets are lost, and how long its own policies are not yet enforced.",
    discussion: """
      Without -f it measures in a generated cluster, whose size --policies, --pods and --local set. Numbered packets flow \
      while an agent syncs the rules as kube-router does. Each trial shows between which two packets the rules changed.
      """)

  struct Burst: Bounded {
    static let range = 1...LagWorld.mostNewcomers
    let value: Int
  }
  struct Trials: Bounded {
    static let range = 1...100_000
    let value: Int
  }
  struct Churn: Bounded {
    static let range = 0.0...1000
    let value: Double
  }
  struct Spacing: Bounded {
    static let range = Duration.microseconds(20)...(.milliseconds(10))
    let value: Duration
  }
  struct Requests: Bounded {
    static let range = 0...50
    let value: Int
  }
  struct Gap: Bounded {
    static let range = Duration.microseconds(1)...(.seconds(3600))
    let value: Duration
  }

  @OptionGroup var input: ManifestOptions
  @OptionGroup var enforcement: StyleOption

  @Option(help: "Enforcement agent to run. Default: the style's own.")
  var agent: AgentKind?

  @Option(help: GeneratedPolicies.help("Number of policies in the generated cluster. Default: 50."))
  var policies: GeneratedPolicies?

  @Option(help: GeneratedPods.help("Number of pods in the generated cluster. Default: 200."))
  var pods: GeneratedPods?

  @Option(help: GeneratedLocalPods.help("Number of those pods on the new pod's node. Default: 30 % of --pods."))
  var local: GeneratedLocalPods?

  @Option(help: "Event to measure in the generated cluster. Default: new-pod.")
  var scenario: LagScenario?

  @Option(help: Burst.help("Number of pods the event happens to at once, in the generated cluster. Default: 1."))
  var burst: Burst?

  @Option(
    help: ArgumentHelp("With -f: the pod to treat as new.", valueName: "namespace/pod"),
    transform: EndpointReference.init)
  var newcomer: EndpointReference?

  @Option(
    help: ArgumentHelp(
      "Watch only packets to and from this endpoint, written as for run --from.", valueName: "endpoint"),
    transform: EndpointReference.init)
  var to: EndpointReference?

  @Option(help: Trials.help("Number of trials."))
  var trials = Trials(value: 50)

  @Option(help: Churn.help("Other pods that start or stop per second during a trial."))
  var churn = Churn(value: 0)

  @Option(
    help: ArgumentHelp(
      "Delay before the API server learns a new pod's address: fixed, from a range, or ~ and the mean of an exponential "
        + "distribution. At most 60s.", valueName: "200ms, 100ms..2s or ~300ms"))
  var apiDelay: APIDelay?

  @Option(
    help: Spacing.help(
      "Time between two datagrams. Default: as short as the windows need, and so long that packets don't slow the agent."
    ))
  var spacing: Spacing?

  @Option(help: Requests.help("Number of requests of each kind; 0 for none."))
  var requests = Requests(value: 5)

  @Flag(help: "kube-router's --netpol-default-deny.")
  var defaultDeny = false

  @Option(help: Gap.help("End with exit code 1 if a packet loss window is longer than this, such as 50ms."))
  var maxGap: Gap?

  @Option(name: .shortAndLong, help: ResultFormat.help)
  var output = ResultFormat.text

  @OptionGroup var findings: FailOnOption

  func validate() throws {
    guard !input.files.isEmpty else {
      if newcomer != nil { throw ValidationError("--newcomer needs -f; the generated cluster has its own new pods") }
      try LagWorld.requireLocal(local?.value ?? 1, of: pods?.value ?? Self.usualPods)
      return
    }
    for (name, isGiven) in [
      ("--policies", policies != nil), ("--pods", pods != nil), ("--local", local != nil), ("--burst", burst != nil),
      ("--scenario", scenario != nil),
    ] where isGiven {
      throw ValidationError("\(name) can't be combined with -f; it shapes the generated cluster")
    }
    if newcomer == nil { throw ValidationError("-f needs --newcomer namespace/pod: the pod to treat as new") }
  }

  private static let usualPods = 200

  func run() throws {
    var run = try input.files.isEmpty ? generatedWorld() : usersWorld()
    Terminal.progress(LagRun.Progress.planning.text)
    try run.requireChange()
    try enterNamespaces()
    let report = try run.run(version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    let document = report.document
    try output.print(document, of: "lag", about: input.files, failOn: findings.failOn)
    try findings.failOn.check(document, isAsExpected: report.isAsExpected)
  }

  private func generatedWorld() throws -> LagRun {
    let pods = pods?.value ?? Self.usualPods
    let local = local?.value ?? max(1, pods * 3 / 10)
    let world = LagWorld(policies: policies?.value ?? 50, pods: pods, local: local)
    return LagRun(
      world, scenario ?? .newPod, burst: burst?.value ?? 1, defaultDeny: defaultDeny,
      options: try options(in: world.cluster))
  }

  private func usersWorld() throws -> LagRun {
    var cluster = try input.reading().cluster
    if defaultDeny { cluster.settings.defaultDeny = true }
    guard let newcomer, case .pod(let id) = try EndpointNames(cluster).endpoint(newcomer, option: "--newcomer"),
      let pod = cluster.pod(id)
    else {
      throw InputError("--newcomer \(newcomer.map { "\($0)" } ?? ""): is not a pod; write namespace/pod")
    }
    if let obstacle = pod.obstacleToBeingNew {
      throw InputError(
        "\(pod.location.map { "\($0): " } ?? "")Pod \(pod.id): \(obstacle); name another pod with --newcomer")
    }
    return LagRun(cluster, newcomer: pod, options: try options(in: cluster))
  }

  private func options(in cluster: Cluster) throws -> LagOptions {
    var options = LagOptions(style: enforcement.style)
    options.agent = agent ?? options.style.defaultAgent
    guard options.style.agents.contains(options.agent) else {
      let others = options.style.agents.map(\.rawValue).joined(separator: ", ")
      throw InputError(
        "--agent \(options.agent.rawValue): the style \(options.style.name) can't use it; write \(others)")
    }
    options.trials = trials.value
    options.churn = churn.value
    options.requests = requests.value
    options.spacing = spacing?.value
    options.maxGap = maxGap?.value
    options.apiDelay = apiDelay ?? .none
    options.target = try to.map { try EndpointNames(cluster).endpoint($0, option: "--to") }
    if defaultDeny || cluster.settings.defaultDeny, !options.style.knowsDefaultDeny {
      let other = EnforcementStyle.all.first(where: \.knowsDefaultDeny).map { "; \($0.name) does" } ?? ""
      throw InputError("--default-deny: the style \(options.style.name) doesn't have it\(other)")
    }
    return options
  }
}

extension Pod {
  /// Why the pod's packets can't be watched, or `nil` if they can.
  fileprivate var obstacleToBeingNew: String? {
    if hostNetwork { return "uses its node's network, where no policy selects it" }
    if phase.isTerminal { return "has ended (\(phase.rawValue))" }
    if podIPs.isEmpty { return "has no address" }
    if node == nil { return "is on no node" }
    return nil
  }
}
