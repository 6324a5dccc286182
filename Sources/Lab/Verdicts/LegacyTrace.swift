internal import Apply
internal import Kernel
internal import NetpolModel
internal import RuleIR

/// The trace of iptables-legacy's tables on one machine: a TRACE rule at the start of `raw`, and the log that it fills.
final class LegacyTrace {
  /// A rule that a packet matched, or the policy of a built-in chain.
  struct Step {
    let table: String
    let chain: String
    let hook: Hook
    /// From 0. `nil`: the chain's policy.
    let index: Int?
    let mark: UInt32
    let header: TracedHeader
  }

  private let namespace: NetworkNamespace
  private let worker: NamespaceWorker
  private let lock: XtablesLock
  private let log: PacketLog
  /// The number of rules of each chain, by family, table and name.
  private let lengths: [String: Int]

  init(_ tables: [Table], in namespace: NetworkNamespace, on worker: NamespaceWorker) throws {
    self.namespace = namespace
    self.worker = worker
    lock = try XtablesLock()
    lengths = Dictionary(
      tables.flatMap { table in
        table.chains.map { ("\(table.family.rawValue) \(table.name) \($0.name)", $0.rules.count) }
      }
    ) { first, _ in first }
    log = try worker.run(in: namespace) { try PacketLog.start() }
    try change("-I", place: " 1")
  }

  func stop() throws { try change("-D", place: "") }

  private func change(_ command: String, place: String) throws {
    let lines = ["PREROUTING", "OUTPUT"].map { "\(command) \($0)\(place) -j TRACE\n" }
    let text = Array("*raw\n\(lines.joined())COMMIT\n".utf8)
    for family in IPFamily.allCases {
      let command = lock.command(["\(family.iptables)-restore", "-w", "-T", "raw", "--noflush"], input: text)
      _ = try command.run(in: namespace, on: worker).requireSuccess()
    }
  }

  /// What packets have met since the last call.
  func drain() throws -> (steps: [Step], lost: Bool) {
    let (messages, lost) = try log.drain()
    return (messages.compactMap(step), lost)
  }

  /// Reads `TRACE: TABLE:CHAIN:KIND:NUMBER ` (net/ipv4/netfilter/ip_tables.c, `trace_packet`). `nil` for the end of a
  /// chain.
  private func step(_ message: PacketLog.Message) -> Step? {
    let words = message.prefix.split(separator: " ")
    guard words.first == "TRACE:", words.count == 2, let hook = Hook(number: message.hook) else { return nil }
    let parts = words[1].split(separator: ":").map(String.init)
    guard parts.count == 4, var number = Int(parts[3]) else { return nil }
    let (table, chain) = (parts[0], parts[1])
    // The rule that starts the trace stands in front.
    if table == "raw", ["PREROUTING", "OUTPUT"].contains(chain) { number -= 1 }
    if number == 0 { return nil }
    let family = message.header.source.count == 4 ? IPFamily.v4 : .v6
    let length = lengths["\(family.rawValue) \(table) \(chain)"] ?? 0
    // "return" and "policy" also stand for an unconditional rule with such a target.
    let isRule = parts[2] == "rule" || number <= length
    if !isRule, parts[2] != "policy" { return nil }
    return Step(
      table: table, chain: chain, hook: hook, index: isRule ? number - 1 : nil, mark: message.mark,
      header: message.header)
  }
}

extension KernelTrace {
  /// Adds what iptables-legacy told. A packet meets a table once at each hook.
  mutating func addLegacy(_ steps: [LegacyTrace.Step], on machine: Endpoint) {
    for step in steps {
      let isNew = passages.last.map {
        !$0.isLegacy || $0.machine != machine || $0.table != step.table || $0.hook != step.hook
      }
      if isNew ?? true {
        guard let source = IPAddress(bytes: step.header.source),
          let destination = IPAddress(bytes: step.header.destination)
        else { continue }
        passages.append(
          Passage(
            machine: machine, table: step.table, chain: step.hook.rawValue.uppercased(), hook: step.hook,
            isLegacy: true,
            source: source, destination: destination, port: step.header.destinationPort, bytes: step.header.bytes,
            length: step.header.length))
      }
      let last = passages.count - 1
      if let index = step.index {
        passages[last].rules.append(Rule(table: step.table, chain: step.chain, index: index, mark: step.mark))
      } else {
        // Nobody asks what the policy is: a packet that is told of at the next hook was accepted.
        passages[last].policy = .allow
      }
    }
  }
}
