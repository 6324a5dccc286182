// Not covered: traces over several machines, and that these are the evaluator's rules. TraceTests has both.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite("The trace of packets in one namespace", .needsNamespaces) struct PacketTraceTests {
  private let sandbox: Sandbox
  private let loopback: [UInt8] = [127, 0, 0, 1]

  init() throws {
    sandbox = try Sandbox()
    var up = RouteBatch()
    up.bringUp(1)
    try sandbox.send(up)
    let rules = """
      add table ip t
      add chain ip t other
      add rule ip t other udp dport 9 return
      add chain ip t out { type filter hook output priority 0; policy accept; }
      add rule ip t out tcp dport 1 drop
      add rule ip t out udp dport 9 jump other
      add rule ip t out meta mark set 7
      """
    _ = try Command(["nft", "-f", "-"], input: Array(rules.utf8)).run(in: sandbox.namespace, on: sandbox.worker)
      .requireSuccess()
  }

  /// Sends datagrams to port 9 while a trace runs. Returns what it told, and what nft lists afterwards.
  private func traced(_ datagrams: Int) throws -> (events: [TraceEvent], places: [String], lost: Bool, after: String) {
    let sender = try UDPSocket(on: loopback, in: sandbox.namespace, of: sandbox.worker)
    let found = try sandbox.worker.run(in: sandbox.namespace) {
      let trace = try PacketTrace.start()
      for _ in 0..<datagrams { _ = sender.send("x", to: loopback, port: 9) }
      let (events, lost) = try trace.drain()
      let places = events.compactMap { event in
        trace.handles.place(of: event).map { "\($0.chain) \($0.index)" }
      }
      try trace.stop()
      return (events, places, lost)
    }
    return (found.0, found.1, found.2, try sandbox.output(of: "nft", "list", "ruleset"))
  }

  @Test("each matched rule is told once, in order, with its place, the packet and the mark") func order() throws {
    let (events, places, lost, after) = try traced(1)
    let packet = try #require(events.first?.packet)
    let own = events.filter { $0.packet == packet }
    #expect(!lost && places.prefix(3) == ["out 1", "other 0", "out 2"], "\(places)")
    let header = try #require(own.first?.header)
    #expect(header.source == loopback && header.destination == loopback && header.destinationPort == 9)
    #expect(header.transport == 17 && header.length == 29 && header.bytes.count >= 28 && header.bytes[0] == 0x45)
    #expect(own.map(\.verdict).prefix(2) == [.jump("other"), .return] && own.last?.kind == .policy)
    #expect(own.last?.mark == 7 && own.last?.verdict == .accept)
    // The answer, port unreachable, is another packet of the same chain.
    #expect(!after.contains(PacketTrace.table) && after.contains("table ip t"), "\(after)")
  }

  @Test("messages that don't fit are told as lost") func lost() throws {
    let (events, _, lost, _) = try traced(6000)
    #expect(lost && !events.isEmpty)
  }

  @Test("what is no trace event, or is cut short, is none")
  func hostile() {
    for length in 0..<40 {
      let bytes = [UInt8](repeating: 0x45, count: length)
      for message in NetlinkMessageSequence(bytes) { #expect(TraceEvent(message) == nil) }
    }
  }
}
