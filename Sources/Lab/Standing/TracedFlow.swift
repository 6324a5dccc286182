public import Enforcement
internal import NetpolModel
internal import Path
public import Verdicts

/// What a flow's first packet met: by the evaluator, and by the kernel's own trace.
public struct TracedFlow: Sendable {
  public let record: PacketRecord
  public let trace: KernelTrace
  /// Empty if both name the same rules in the same order on every machine.
  public let differences: [TraceDifference]

  init(_ flow: Flow, _ trace: KernelTrace, _ enforced: EnforcedCluster) {
    record = enforced.record(of: flow)
    self.trace = trace
    differences = trace.differences(from: record)
  }
}

/// A machine on which kernel and evaluator met different rules.
public struct TraceDifference: Hashable, Sendable {
  public let machine: String
  /// The rules, as `table chain #number`, from the first that differs.
  public let kernel: [String]
  public let evaluator: [String]
}

extension KernelTrace {
  /// The traces of iptables-legacy and of nf_tables are lists of their own.
  private func name(_ machine: String, isLegacy: Bool) -> String { isLegacy ? "\(machine) (iptables-legacy)" : machine }

  /// Compares the rules that the kernel met with those of the evaluator, machine by machine.
  public func differences(from record: PacketRecord) -> [TraceDifference] {
    var expected: [String: [String]] = [:]
    // A rate limit may or may not be used up.
    var limited: [String: Set<String>] = [:]
    // The answer of a node is another packet than the first.
    let hooks =
      record.hooks.last.map { $0.before.state == .established } == true ? record.hooks.dropLast() : record.hooks[...]
    for hook in hooks {
      for met in hook.rules {
        let machine = name(hook.position.machine, isLegacy: hasLegacyTables && met.isIptables)
        let place = "\(met.table) \(met.rule.chain) #\(met.rule.number)"
        if met.isLimited {
          limited[machine, default: []].insert(place)
        } else {
          expected[machine, default: []].append(place)
        }
      }
    }
    var found: [String: [String]] = [:]
    // What a pod with rules of its own sends by itself meets its POSTROUTING, which puts the address on it that it has.
    // It may get that packet back.
    let modelled = Set(hooks.map(\.position.machine))
    var entered: Set<String> = []
    for passage in passages {
      if case .pod = passage.machine {
        if !modelled.contains(passage.machineName) { continue }
        if passage.hook == .prerouting { entered.insert(passage.machineName) }
        if !entered.contains(passage.machineName) { continue }
      }
      let machine = name(passage.machineName, isLegacy: passage.isLegacy)
      found[machine, default: []] += passage.rules.map {
        "\($0.table) \($0.chain) #\($0.index.map { "\($0 + 1)" } ?? "?")"
      }.filter { limited[machine]?.contains($0) != true }
    }
    return Set(expected.keys).union(found.keys).sorted().compactMap { machine in
      let (kernel, evaluator) = (found[machine] ?? [], expected[machine] ?? [])
      if kernel == evaluator { return nil }
      let same = zip(kernel, evaluator).prefix { $0 == $1 }.count
      // Of two chains with one priority, whoever came first into the kernel decides the order, and iptables-legacy's
      // tables came with the lab's own checks. Where one of them stops the packet, the other's list may be shorter.
      let isStoppedHere = record.hooks.last.map { $0.stop != nil && machine.hasPrefix($0.position.machine) } ?? false
      if hasLegacyTables, isStoppedHere, same == min(kernel.count, evaluator.count) { return nil }
      return TraceDifference(
        machine: machine, kernel: Array(kernel[same...]), evaluator: Array(evaluator[same...]))
    }
  }
}
