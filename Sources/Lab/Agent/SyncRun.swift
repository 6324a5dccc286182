internal import Apply
internal import Kernel
internal import Lowering
internal import NetpolModel

/// Where an agent's programs run: in the node's namespace, with an xtables lock of its own.
struct AgentNode: Sendable {
  let namespace: NetworkNamespace
  let worker: NamespaceWorker
  let lock: XtablesLock
}

/// A running sync. Its steps and programs are recorded as they happen.
struct SyncRun {
  private(set) var record: SyncRecord
  private let node: AgentNode
  private let observer: (@Sendable (SyncMoment) -> Void)?

  init(requested: UInt64, on node: AgentNode, observer: (@Sendable (SyncMoment) -> Void)? = nil) {
    let now = MonotonicClock.now
    record = SyncRecord(requested: requested, started: now, ended: now)
    self.node = node
    self.observer = observer
  }

  mutating func step<Result>(
    _ kind: SyncStep, _ family: IPFamily? = nil, _ body: (inout SyncRun) throws -> Result
  ) rethrows -> Result {
    let began = MonotonicClock.now
    observer?(.began(kind, family, at: began))
    defer {
      let returned = MonotonicClock.now
      record.steps.append(SyncRecord.Step(kind: kind, family: family, began: began, returned: returned))
      observer?(.returned(kind, family, at: returned))
    }
    return try body(&self)
  }

  /// Runs a program. Any exit status is a result.
  mutating func run(_ arguments: [String], input: [UInt8] = []) throws -> CommandResult {
    let command = node.lock.command(arguments, input: input)
    let started = MonotonicClock.now
    let result = try command.run(in: node.namespace, on: node.worker)
    record.processes.append(
      SyncRecord.Process(
        arguments: arguments, started: started, duration: result.duration, ending: result.ending))
    return result
  }

  mutating func know(_ view: NodeView) { record.view = view }

  /// Completes the record and returns it.
  mutating func end(_ failure: (any Error)?) -> SyncRecord {
    record.failure = failure
    record.ended = MonotonicClock.now
    observer?(.ended(record))
    return record
  }
}
