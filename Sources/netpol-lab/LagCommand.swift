import ArgumentParser
import Foundation
import Lag
import Lowering
import Manifests
import NetpolModel
import Report
import Text

struct LagCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lag",
    abstract: "Measures how long a new pod's packets are lost, and how long they are not policed.",
    discussion: """
      Without -f in a world of its own, of --policies, --pods and --local. An enforcer that does kube-router's work takes \
      its time while numbered packets pass: each trial says between which two of them the rules changed.
      """)

  @OptionGroup var input: InputOptions

  @Option(help: "Who enforces: \(AgentKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var agent: String?

  @Option(help: "Policies of the lab's own world.")
  var policies: Int?

  @Option(help: "Pods of the lab's own world.")
  var pods: Int?

  @Option(help: "How many of them are on the newcomers' node.")
  var local: Int?

  @Option(
    help: "What happens: \(LagScenario.allCases.map(\.rawValue).joined(separator: ", ")). In the lab's own world.")
  var scenario = LagScenario.newPod.rawValue

  @Option(help: "How many pods it happens to at once, up to 50. In the lab's own world.")
  var burst = 1

  @Option(help: "With -f: the pod that is new, as namespace/pod.")
  var newcomer: String?

  @Option(help: "Only streams to and from this endpoint: namespace/pod, external/NAME, or as run --from takes it.")
  var to: String?

  @Option(help: "How often it is tried.")
  var trials = 50

  @Option(help: "Other pods that come or go a second, while packets flow.")
  var churn = 0.0

  @Option(
    help:
      "What passes until the API knows the address: 200ms, from 100ms..2s, or ~300ms for an exponential distribution.")
  var apiDelay: String?

  @Option(help: "Between two datagrams: 20us to 10ms.")
  var spacing = "50us"

  @Option(help: "How often each kind of request is made; 0: none.")
  var requests = 5

  @Flag(help: "kube-router's --netpol-default-deny.")
  var defaultDeny = false

  @Option(help: "Exit code 1 if a window is longer, as 50ms.")
  var maxGap: String?

  @Option(name: .shortAndLong, help: "The report: text or json.")
  var output = RunCommand.Format.text

  func run() throws {
    var run = try input.files.isEmpty ? ownWorld() : usersWorld()
    Terminal.progress(LagRun.Progress.planning.text)
    try run.requireChange()
    try enterNamespaces()
    let report = try run.run(version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    switch output {
    case .text: try Terminal.print(report.document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try report.document.json())
    }
    if !report.isAsExpected { throw ExitCode.finding }
  }

  private func ownWorld() throws -> LagRun {
    if newcomer != nil { throw InputError("--newcomer: goes with -f alone; the lab's own world has its own") }
    let (policies, pods) = (policies ?? 50, pods ?? 200)
    // Three of ten, of any number.
    let local = local ?? max(1, pods / 10 * 3 + pods % 10 * 3 / 10)
    if let obstacle = LagWorld.obstacle(policies: policies, pods: pods, local: local) { throw InputError(obstacle) }
    guard let scenario = LagScenario(rawValue: scenario) else {
      throw InputError(
        "--scenario \(scenario): write one of \(LagScenario.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard (1...LagWorld.mostNewcomers).contains(burst) else {
      throw InputError("--burst \(burst): write a number from 1 to \(LagWorld.mostNewcomers)")
    }
    let world = LagWorld(policies: policies, pods: pods, local: local)
    return LagRun(world, scenario, burst: burst, defaultDeny: defaultDeny, options: try options(in: world.cluster))
  }

  private func usersWorld() throws -> LagRun {
    for (name, isGiven) in [
      ("--policies", policies != nil), ("--pods", pods != nil), ("--local", local != nil), ("--burst", burst != 1),
      ("--scenario", scenario != LagScenario.newPod.rawValue),
    ] where isGiven {
      throw InputError("\(name): goes without -f alone, for the lab's own world")
    }
    var cluster = try input.reading().cluster
    if defaultDeny { cluster.settings.defaultDeny = true }
    guard let newcomer else { throw InputError("--newcomer: with -f, name the pod that is new, as namespace/pod") }
    guard case .pod(let id) = try EndpointNames(cluster).endpoint(newcomer, option: "--newcomer"),
      let pod = cluster.pod(id)
    else {
      throw InputError("--newcomer \(newcomer): is no pod; write namespace/pod")
    }
    if let obstacle = pod.obstacleToBeingNew {
      throw InputError(
        "\(pod.location.map { "\($0): " } ?? "")Pod \(pod.id): \(obstacle); name another one as --newcomer")
    }
    return LagRun(cluster, newcomer: pod, options: try options(in: cluster))
  }

  private func options(in cluster: Cluster) throws -> LagOptions {
    var options = LagOptions(style: try input.enforcementStyle())
    let agent = agent ?? options.style.defaultAgent.rawValue
    guard let kind = AgentKind(rawValue: agent) else {
      throw InputError("--agent \(agent): write one of \(AgentKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard options.style.agents.contains(kind) else {
      let others = options.style.agents.map(\.rawValue).joined(separator: ", ")
      throw InputError(
        "--agent \(agent): is how kube-router works; the style \(options.style.name) goes with \(others)")
    }
    options.agent = kind
    guard (1...100_000).contains(trials) else {
      throw InputError("--trials \(trials): write a number from 1 to 100000")
    }
    options.trials = trials
    guard (0...1000).contains(churn) else { throw InputError("--churn \(churn): write a number from 0 to 1000") }
    options.churn = churn
    guard (0...50).contains(requests) else { throw InputError("--requests \(requests): write a number from 0 to 50") }
    options.requests = requests
    options.spacing = try TimeInput(spacing, "--spacing", .microseconds(20)...(.milliseconds(10))).duration
    options.maxGap = try maxGap.map { try TimeInput($0, "--max-gap", .microseconds(1)...(.seconds(3600))).duration }
    options.apiDelay = try apiDelay.map { try APIDelay(argument: $0) } ?? .none
    options.target = try to.map { try EndpointNames(cluster).endpoint($0, option: "--to") }
    if defaultDeny || cluster.settings.defaultDeny, !options.style.knowsDefaultDeny {
      let other = EnforcementStyle.all.first(where: \.knowsDefaultDeny).map { "; \($0.name) does" } ?? ""
      throw InputError("--default-deny: the style \(options.style.name) has none\(other)")
    }
    return options
  }
}

/// A time within an option's range.
private struct TimeInput {
  let duration: Duration

  init(_ text: String, _ option: String, _ range: ClosedRange<Duration>) throws {
    guard let duration = Duration(text: text) else {
      throw InputError("\(option) \(text): write a number with us, ms, s, m or h, as 50ms")
    }
    guard range.contains(duration) else {
      throw InputError(
        "\(option) \(text): write a time from \(timeText(range.lowerBound)) to \(timeText(range.upperBound))")
    }
    self.duration = duration
  }
}

extension APIDelay {
  fileprivate init(argument text: String) throws {
    let bounds = Duration.zero...Duration.seconds(60)
    let time = { (part: Substring) in try TimeInput(String(part), "--api-delay", bounds).duration }
    if text.hasPrefix("~") {
      self = .exponential(mean: try time(text.dropFirst()))
    } else if let dots = text.range(of: "..") {
      let (low, high) = (try time(text[..<dots.lowerBound]), try time(text[dots.upperBound...]))
      guard low <= high else { throw InputError("--api-delay \(text): write the shorter time first") }
      self = .uniform(low...high)
    } else {
      self = .constant(try time(text[...]))
    }
  }
}

extension Pod {
  /// Why no packets of it can be watched; nil: they can.
  fileprivate var obstacleToBeingNew: String? {
    if hostNetwork { return "is on its node's network, where no policy selects it" }
    if phase.isTerminal { return "has ended (\(phase.rawValue))" }
    if podIPs.isEmpty { return "has no address" }
    if node == nil { return "is on no node" }
    return nil
  }
}
