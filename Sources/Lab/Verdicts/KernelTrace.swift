internal import Apply
internal import Kernel
public import NetpolModel
internal import Network
internal import Path
package import RuleIR

/// What the kernels of a flow's machines say that its first packet met: the trace of nf_tables and, where the machine's
/// iptables is iptables-legacy, that of its TRACE target.
public struct KernelTrace: Hashable, Sendable {
  /// One base chain that the packet passed on a machine.
  public struct Passage: Hashable, Sendable {
    /// A node, or a pod with rules of its own.
    public let machine: Endpoint
    public let table: String
    /// The base chain, and its hook.
    public let chain: String
    public let hook: Hook
    /// Whether it is a table of iptables-legacy, which nf_tables doesn't have.
    public let isLegacy: Bool
    /// The packet as it came to the chain.
    public let source: IPAddress
    public let destination: IPAddress
    public let port: UInt16
    /// Its first bytes, from the IP header on, and how many it has in all.
    public let bytes: [UInt8]
    public let length: Int
    public internal(set) var rules: [Rule] = []
    /// The base chain's policy, if the packet met it.
    public internal(set) var policy: Verdict?

    /// As in a `Position`: a node's name, or a pod's with its namespace.
    public var machineName: String { if case .node(let name) = machine { name } else { machine.description } }
  }

  /// A rule whose matches held.
  public struct Rule: Hashable, Sendable {
    public let table: String
    public let chain: String
    /// From 0. `nil` if the kernel's list of rules has no such rule.
    public let index: Int?
    /// The packet's mark after it.
    public let mark: UInt32
  }

  /// In the order in which each machine saw them.
  public internal(set) var passages: [Passage] = []
  /// What became of the traced packet.
  public internal(set) var observation: Observation
  /// Whether iptables' tables are those of iptables-legacy.
  public internal(set) var hasLegacyTables = false
  /// Whether events were lost.
  public internal(set) var isIncomplete = false
}

extension KernelEngine {
  /// Sends the first packet of each flow once more, one after the other, and listens on the machines to what it meets.
  ///
  /// `iptables` is what each machine has in iptables' tables: iptables-legacy tells the end of a chain apart from an
  /// unconditional RETURN only by its number. `portsOnTheWay`: by number of a flow, the ports that its packet may be sent to
  /// on its way, besides those where somebody listens.
  package func trace(
    _ flows: [Flow], on machines: [(endpoint: Endpoint, iptables: [Table])], in conversation: inout Conversation,
    backends: (Flow) -> [Backend], portsOnTheWay: (Int) -> Set<UInt16>
  ) throws -> [KernelTrace] {
    if flows.isEmpty { return [] }
    let version = try Command(["iptables", "--version"]).run(on: fabric.worker).text
    let isLegacy = version.contains("legacy")
    let running = try machines.compactMap { machine in
      try fabric.namespace(of: machine.endpoint).map { namespace in
        RunningTrace(
          machine.endpoint, try fabric.worker.run(in: namespace) { try PacketTrace.start() },
          isLegacy ? try LegacyTrace(machine.iptables, in: namespace, on: fabric.worker) : nil)
      }
    }
    conversation.session.repeatsRequests = false
    defer { conversation.session.repeatsRequests = true }
    var traces: [KernelTrace] = []
    for (number, flow) in flows.enumerated() {
      let ports = portsOnTheWay(number).union(
        ends(of: flow, backends).map(\.socket.port) + [flow.port].compactMap(\.self))
      let seen = try observe([flow], within: Self.traceTime, in: &conversation, backends: backends)
      var found = KernelTrace(observation: seen.first ?? .unusable("no packet was sent"))
      for one in running {
        let (events, lost) = try one.drain()
        found.isIncomplete = found.isIncomplete || lost
        let isFirst = { (header: TracedHeader) in header.isFirst(of: flow, to: ports) }
        found.passages += Self.passages(of: events, one.handles, on: one.machine, isFirst: isFirst)
        guard let legacy = one.legacy else { continue }
        found.hasLegacyTables = true
        let (steps, lostLegacy) = try legacy.drain()
        found.isIncomplete = found.isIncomplete || lostLegacy
        found.addLegacy(steps.filter { isFirst($0.header) }, on: one.machine)
      }
      traces.append(found)
    }
    for one in running { try one.stop() }
    return traces
  }

  /// Shorter than the second after which a SYN is repeated: only the first packet is told of.
  private static let traceTime = Duration.milliseconds(450)

  private static func passages(
    of events: [TraceEvent], _ handles: RuleHandles, on machine: Endpoint, isFirst: (TracedHeader) -> Bool
  ) -> [KernelTrace.Passage] {
    var passages: [KernelTrace.Passage] = []
    // By packet: the place of its latest passage; `nil` for a packet that is none of the flow's first.
    var current: [UInt32: Int?] = [:]
    for event in events {
      if let header = event.header {
        current[event.packet] = .some(nil)
        if isFirst(header), let source = IPAddress(bytes: header.source),
          let destination = IPAddress(bytes: header.destination),
          let hook = handles.hook(of: event).flatMap(Hook.init(number:))
        {
          current[event.packet] = passages.count
          passages.append(
            KernelTrace.Passage(
              machine: machine, table: event.table, chain: event.chain, hook: hook, isLegacy: false, source: source,
              destination: destination, port: header.destinationPort, bytes: header.bytes, length: header.length))
        }
      }
      guard case .some(.some(let index)) = current[event.packet] else { continue }
      switch event.kind {
      case .rule:
        passages[index].rules.append(
          KernelTrace.Rule(
            table: event.table, chain: event.chain, index: handles.place(of: event)?.index, mark: event.mark))
      case .policy: passages[index].policy = event.verdict == .accept ? .allow : .deny
      case .chainEnd: break
      }
    }
    return passages
  }
}

/// The trace of one machine, until it is stopped.
private final class RunningTrace {
  let machine: Endpoint
  let handles: RuleHandles
  let legacy: LegacyTrace?
  private var trace: PacketTrace?

  init(_ machine: Endpoint, _ trace: consuming PacketTrace, _ legacy: LegacyTrace?) {
    self.machine = machine
    self.legacy = legacy
    handles = trace.handles
    self.trace = consume trace
  }

  func drain() throws -> (events: [TraceEvent], lost: Bool) { try trace?.drain() ?? ([], false) }

  func stop() throws {
    if let trace = trace.take() { try trace.stop() }
    try legacy?.stop()
  }
}

extension TracedHeader {
  /// Whether the packet goes the flow's way, and is no answer and no packet of the tunnel between nodes. `ports` are those
  /// that its receivers listen on.
  fileprivate func isFirst(of flow: Flow, to ports: Set<UInt16>) -> Bool {
    switch flow.question {
    case .echo: return [1, 58].contains(transport) && [8, 128].contains(detail)
    case .port(let port):
      guard transport == port.transport.number else { return false }
      // SYN without ACK (RFC 9293, 3.1).
      if port.transport == .tcp { return detail & 0x12 == 0x02 }
      return ports.contains(destinationPort) && !ports.contains(sourcePort)
    }
  }
}

extension Hook {
  /// The hook of this number in `enum nf_inet_hooks`.
  init?(number: UInt32) {
    guard let hook = Hook.allCases.dropFirst(Int(number)).first else { return nil }
    self = hook
  }
}
