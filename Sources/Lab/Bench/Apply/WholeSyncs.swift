internal import Agent
internal import Kernel
internal import Lowering
internal import Network
internal import Statistics

/// kube-router's first sync on an empty node, done by the agent that follows its steps.
struct WholeSyncs {
  private let style: EnforcementStyle
  private(set) var times: [Double] = []
  private(set) var processes = 0

  init(_ style: EnforcementStyle) { self.style = style }

  mutating func run(_ world: ApplyWorld, on worker: NamespaceWorker) throws {
    let agent = try EnforcementAgent(world.view, style: style, in: try worker.makeNamespace(), worker: worker)
    defer { agent.close() }
    try agent.start()
    guard let sync = agent.syncs.last else { throw LabError("\(style.name): no sync has ended") }
    if let failure = sync.failure { throw failure }
    times.append(Double(sync.ended - sync.started))
    processes = sync.processes.count
  }

  var row: ApplyBenchReport.Sync {
    ApplyBenchReport.Sync(style: style.name, times: Distribution(times), processes: processes)
  }
}
