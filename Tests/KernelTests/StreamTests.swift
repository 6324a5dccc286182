// Covers streams between two namespaces through a third that forwards. Not covered: how exact the times are on a busy
// machine. Each trial reports that itself, by its bracket.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces, .serialized) struct StreamTests {
  private func withLink<Result: Sendable>(_ body: @escaping @Sendable (StreamLink) throws -> Result) async throws
    -> Result
  {
    try await blocking { try body(try StreamLink()) }
  }

  @Test(arguments: StreamTransport.allCases, AddressFamily.allCases)
  func everyDatagramArrivesInOrderOnAnOpenPath(transport: StreamTransport, family: AddressFamily) async throws {
    let records = try await withLink { link in
      let streams = [
        link.stream(transport, family), link.stream(transport, family, port: 7001, every: 4, phase: 1),
        link.stream(transport, family),
      ]
      var records = try link.trial(streams)
      // A trial lasts 80 ms. On a busy machine its thread may not run once in that time.
      for _ in 0..<50 where records.contains(where: \.sent.isEmpty) { records = try link.trial(streams) }
      return records
    }
    #expect(records.count == 3)
    for record in records {
      #expect(try record.losses().get() == 0)
      #expect(record.delivered == record.sent.count && record.unstamped == 0 && record.refusedSends == 0)
      #expect(record.received == record.received.sorted() && record.sent == record.sent.sorted())
      #expect(zip(record.sent, record.received).allSatisfy { $0 <= $1 + 1000 })
    }
    let skipped = records[0].skippedTicks
    #expect(records[0].sent.count == 400 - skipped && records[2].sent.count == 400 - skipped)
    #expect((100 - skipped...100).contains(records[1].sent.count))
  }

  @Test("a datagram is stamped before the next one of its stream is sent", arguments: StreamTransport.allCases)
  func stampsFollowTheirSends(transport: StreamTransport) async throws {
    let record = try #require(try await withLink { try $0.trial([$0.stream(transport)]) }.first)
    let inTime = zip(record.received, record.sent.dropFirst()).count { $0 < $1 }
    #expect(record.sent.count > 1 && inTime * 100 >= (record.sent.count - 1) * 95)
  }

  @Test func skippedTicksAreNotMadeUp() async throws {
    let record = try #require(try await withLink { try $0.trial([$0.stream()]) }.first)
    // The n-th datagram belongs to tick n or, after skipped ticks, to a later one. It never belongs to an earlier tick.
    let start = try #require(record.sent.first)
    for (index, time) in record.sent.enumerated() {
      #expect(time >= start + UInt64(index) * 200_000 - 100_000, "datagram \(index)")
    }
  }

  @Test(arguments: StreamTransport.allCases)
  func lossEndsWithinTheBracketThatContainsTheCall(transport: StreamTransport) async throws {
    let (records, before, after) = try await withLink { link in
      try link.admitOnlyTheSet()
      let socket = try link.worker.run(in: link.node) { try NetlinkSocket(.netfilter) }
      var batch = IPSetBatch()
      batch.add([IPSetEntry(StreamLink.address(.v4, 2))], to: "open")
      var (before, after): (UInt64, UInt64) = (0, 0)
      let records = try link.trial([link.stream(transport), link.stream(transport, port: 7001)]) {
        before = MonotonicClock.now
        try batch.send(in: socket)
        after = MonotonicClock.now
      }
      return (records, before, after)
    }
    for record in records {
      let opening = try record.opening().get()
      #expect(opening.lastSent <= after && before <= record.received[opening.first])
      #expect(opening.anomalies == 0 && opening.before == record.lost)
      #expect(opening.direction == .opening && opening.bracket > 0)
    }
  }

  @Test(arguments: StreamTransport.allCases)
  func aPathThatClosesStopsTheStream(transport: StreamTransport) async throws {
    let (record, before) = try await withLink { link in
      var before: UInt64 = 0
      let records = try link.trial([link.stream(transport)]) {
        before = MonotonicClock.now
        try link.forward("\(transport) dport 7000 drop")
      }
      return (try #require(records.first), before)
    }
    let closing = try record.closing().get()
    #expect(closing.firstSent >= before && closing.anomalies == 0 && closing.before == record.delivered)
  }

  @Test(
    arguments: [
      (StreamTransport.udp, "drop"), (.udp, "reject"), (.tcp, "drop"), (.tcp, "reject"),
      (.tcp, "reject with tcp reset"),
    ])
  func aRefusedStreamKeepsSending(transport: StreamTransport, refusal: String) async throws {
    let records = try await withLink { link in
      try link.forward("\(transport) dport 7000 \(refusal)")
      return try link.trial([link.stream(transport), link.stream(transport, port: 7001)])
    }
    #expect(try records[0].leaks().get() == 0)
    #expect(records[0].refusedSends == 0 && records[0].sent.count == records[1].sent.count)
    #expect(try records[1].losses().get() == 0)
  }

  @Test(arguments: StreamTransport.allCases)
  func sendsDroppedAtTheOutputHookAreCounted(transport: StreamTransport) async throws {
    let record = try await withLink { link in
      let rules = "table inet o {\nchain o {\ntype filter hook output priority 0\n\(transport) dport 7000 drop\n}\n}\n"
      try Command(["nft", "-f", "-"], input: Array(rules.utf8)).run(in: link.source, on: link.worker).requireSuccess()
      return try #require(try link.trial([link.stream(transport)]).first)
    }
    #expect(record.refusedSends == record.sent.count && record.delivered == 0)
  }

  @Test("a buffer too small for a trial is read during it, and nothing is lost", arguments: StreamTransport.allCases)
  func smallBuffersAreRead(transport: StreamTransport) async throws {
    let (record, reads) = try await withLink { link in
      let run = try StreamRun(
        [link.stream(transport)], spacing: StreamLink.spacing, capacity: 1000, receiveBuffer: 400_000,
        worker: link.worker)
      try run.start()
      StreamLink.sleep(1500)
      return (try #require(try run.stop().first), run.readsDuringTrial)
    }
    #expect(reads)
    #expect(try record.losses().get() == 0)
    #expect(record.received == record.received.sorted())
  }

  @Test(arguments: StreamTransport.allCases)
  func aFullReceiveBufferIsReported(transport: StreamTransport) async throws {
    let records = try await withLink { link in
      // Room for a handful, while ten arrive between two readings.
      let run = try StreamRun(
        [link.stream(transport), link.stream(transport, port: 7001, every: 1000)], spacing: .microseconds(50),
        capacity: 2000,
        receiveBuffer: 2304, worker: link.worker)
      try run.start()
      StreamLink.sleep(1000)
      return try run.stop()
    }
    // A full raw socket also counts packets for the other port.
    let others = transport == .tcp ? records[1].sent.count : 0
    #expect(records[0].overflowed && (0...others).contains(records[0].droppedByReceiver - records[0].lost))
    #expect(records[0].opening() == .failure(.incompleteRecord))
    #expect(records[0].losses() == .failure(.incompleteRecord))
    #expect(!records[1].overflowed)
  }

  @Test(arguments: [(Duration.zero, 10), (.microseconds(50), 0), (.microseconds(50), 1 << 40), (.seconds(-1), 10)])
  func anImpossibleSpacingOrCapacityIsAnError(spacing: Duration, capacity: Int) throws {
    let worker = try NamespaceWorker()
    #expect {
      try StreamRun([], spacing: spacing, capacity: capacity, worker: worker)
    } throws: { ($0 as? KernelError)?.code == EINVAL }
  }

  @Test(arguments: StreamTransport.allCases)
  func aDestinationWithAListenerIsAnError(transport: StreamTransport) async throws {
    let thrown = try await withLink { link in
      let server = try EchoServer(on: StreamLink.destination(.v4), in: link.target, worker: link.worker)
      defer { withExtendedLifetime(server) {} }
      do {
        _ = try link.trial([link.stream(transport)])
        return nil as String?
      } catch {
        return "\(error)"
      }
    }
    #expect(thrown == "receiver of a stream on 10.9.2.1:7000: Address already in use (EADDRINUSE)")
  }
}
