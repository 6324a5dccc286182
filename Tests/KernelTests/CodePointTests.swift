// Not covered: what a tunnel or a NAT does with a code point. The services' tests with packets show that.
import Kernel
import TestSupport
import Testing

@Suite("Code points and connection tracking", .needsNamespaces) struct CodePointTests {
  @Test(
    "a probe's first packet carries its code point, and that of other probes is zero",
    arguments: ProbeTransport.allCases.filter { $0 != .ping }, AddressFamily.allCases)
  func codePoint(transport: ProbeTransport, family: AddressFamily) async throws {
    let seen = try await blocking {
      let link = try ProbeLink()
      let field = family == .v4 ? "ip dscp" : "ip6 dscp"
      try link.filter(link.server, "input", "\(field) 0x25 meta l4proto \(transport.rawValue) drop")
      return try link.session.run(
        [0, 37, 38].map { codePoint in
          Probe(from: link.client, to: ProbeLink.destination(family), transport, codePoint: codePoint)
        }, timeout: .milliseconds(300))
    }
    #expect(seen == [.delivered, .silent(after: .milliseconds(300)), .delivered])
  }

  @Test("connection tracking shows where a packet was sent", arguments: AddressFamily.allCases)
  func conntrack(family: AddressFamily) async throws {
    let (outcome, ports, entries) = try await blocking {
      let link = try ProbeLink()
      // The client itself translates 9000 to the listener's port.
      let (name, table) = family == .v4 ? ("ip", "10.9.0.2") : ("ip6", "[fd09::2]")
      let rules = """
        table \(name) t {
          chain c {
            type nat hook output priority -100
            tcp dport 9000 dnat to \(table):\(ProbeLink.port)
          }
        }

        """
      try Command(["nft", "-f", "-"], input: Array(rules.utf8)).run(in: link.client, on: link.worker).requireSuccess()
      let probe = Probe(
        from: link.client, sourceAddress: ProbeLink.address(family, 1),
        to: ProbeLink.destination(family, port: 9000), .tcp)
      let outcome = try link.session.run([probe], timeout: ProbeLink.patience)
      let entries = try link.worker.run(in: link.client) { try ConntrackEntry.list(in: NetlinkSocket(.netfilter)) }
      return (outcome, link.session.sourcePorts, entries)
    }
    #expect(outcome == [.delivered] && ports.count == 1)
    let (client, server) = (ProbeLink.address(family, 1), ProbeLink.address(family, 2))
    let entry = try #require(entries.first { $0.original.destinationPort == 9000 })
    #expect(
      entry.original
        == .init(
          source: client, sourcePort: ports[0], destination: server, destinationPort: 9000, transport: 6))
    #expect(entry.reply.source == server && entry.reply.sourcePort == ProbeLink.port)
  }
}
