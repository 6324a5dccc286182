internal import Apply
internal import Glibc
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Network
internal import RuleIR
internal import Statistics

/// A pod that is added to a node with rules and removed again. Each change is one transaction.
struct NewPodUpdate {
  private let style: EnforcementStyle
  private let what: String
  private let before, after: NodeView

  init(_ style: EnforcementStyle, _ world: ApplyWorld, withPolicy policy: Int, _ what: String) {
    self.style = style
    self.what = what
    before = world.view
    var after = before
    after.pods.append(world.newcomer(withPolicy: policy))
    after.pods.sort { $0.id < $1.id }
    self.after = after
  }

  /// Loads the rules and changes them `count` times. Making the rules is slow, so that is done only `lowerings` times.
  func measure(
    _ count: Int, pause: UInt32, lowerings: Int, in namespace: NetworkNamespace, on worker: NamespaceWorker
  ) throws -> ApplyBenchReport.NewPod {
    let (old, new) = (style.lower(before).ruleset, style.lower(after).ruleset)
    let (come, gone) = (old.changes(to: new), new.changes(to: old))
    let loader = try RuleLoader(worker: worker)
    try loader.load(old, in: namespace)
    let socket = try worker.run(in: namespace) { try NetlinkSocket(.netfilter) }

    var times: (backToBack: [Double], spaced: [Double]) = ([], [])
    try RealTimeScheduling.whilePermitted(ApplyBench.priority) {
      for pauses in [false, true] {
        for _ in 0..<count {
          if pauses { usleep(pause) }
          let begin = MonotonicClock.now
          try NftTransaction(come, of: old).send(in: socket)
          let time = Double(MonotonicClock.now - begin)
          if pauses { times.spaced.append(time) } else { times.backToBack.append(time) }
          if pauses { usleep(pause) }
          try NftTransaction(gone, of: new).send(in: socket)
        }
      }
    }
    var (lowering, comparing, replacing): ([Double], [Double], [Double]) = ([], [], [])
    for _ in 0..<lowerings {
      var begin = MonotonicClock.now
      let lowered = style.lower(after).ruleset
      lowering.append(Double(MonotonicClock.now - begin))
      begin = MonotonicClock.now
      let changes = old.changes(to: lowered)
      comparing.append(Double(MonotonicClock.now - begin))
      guard changes == come else { throw LabError("\(style.name): two lowerings of one cluster differ") }
      begin = MonotonicClock.now
      try loader.replace(old, with: new, in: namespace)
      replacing.append(Double(MonotonicClock.now - begin))
      try loader.replace(new, with: old, in: namespace)
    }
    return ApplyBenchReport.NewPod(
      style: style.name, what: what, backToBack: Distribution(times.backToBack), spaced: Distribution(times.spaced),
      lowering: Distribution(lowering), comparing: Distribution(comparing), replacing: Distribution(replacing))
  }
}
