// Covers what is special about streams over TCP: every hop sees them as SYNs, and nothing answers them.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces, .serialized) struct SYNStreamTests {
  @Test("to connection tracking each SYN is new, also in a second run", arguments: AddressFamily.allCases)
  func everySYNIsNew(family: AddressFamily) async throws {
    let (sent, counts) = try await blocking {
      let link = try StreamLink()
      try link.forward(
        "ct state new tcp flags == syn tcp dport 7000 counter", "ct state != new counter", "ct state new")
      let sent = try (0..<2).map { _ in try link.trial([link.stream(.tcp, family)]).reduce(0) { $0 + $1.sent.count } }
      return (sent.reduce(0, +), try link.counts())
    }
    #expect(sent > 0 && counts == [sent, 0])
  }

  @Test("a path for new TCP connections only passes every SYN and no UDP") func connectionsAlone() async throws {
    let records = try await blocking {
      let link = try StreamLink()
      try link.forward("ct state invalid drop", "ct state new tcp flags == syn accept", "drop")
      return try link.trial([link.stream(.tcp), link.stream(.udp)])
    }
    #expect(try records[0].losses().get() == 0)
    #expect(try records[1].leaks().get() == 0)
  }

  @Test("a connection to the port is silent during a run and refused after it") func nothingIsLeftBehind()
    async throws
  {
    let (before, after) = try await blocking {
      let link = try StreamLink()
      let ask = {
        try TimedRequest.tcpConnect(
          from: link.source, to: StreamLink.destination(.v4), patience: .milliseconds(500), worker: link.worker
        ).outcome
      }
      var run: StreamRun? = try StreamRun(
        [link.stream(.tcp)], spacing: StreamLink.spacing, capacity: 10, worker: link.worker)
      let before = try ask()
      _ = try run?.stop()
      run = nil
      return (before, try ask())
    }
    #expect(before == .silent)
    #expect(after == .refused)
  }

  @Test("SYNs without a source address are an error, as their checksum needs it") func sourceAddress() async throws {
    let thrown = try await blocking {
      let link = try StreamLink()
      let stream = DatagramStream(.tcp, from: link.source, to: StreamLink.destination(.v4), in: link.target)
      do {
        _ = try link.trial([stream])
        return nil as Int32?
      } catch {
        return (error as? KernelError)?.code
      }
    }
    #expect(thrown == EDESTADDRREQ)
  }
}
