// Covers many probes at a time. Not covered: speed, which depends on the machine and on the build.
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces, .serialized) struct ProbeLoadTests {
  @Test(arguments: ProbeTransport.withPorts) func twoThousandProbesInParallelAreDelivered(transport: ProbeTransport)
    async throws
  {
    let (seen, told) = try await blocking {
      let link = try ProbeLink()
      try OpenFiles.raiseLimit()
      var told: [Int] = []
      let probes = (0..<2000).map { link.probe(transport, $0.isMultiple(of: 2) ? .v4 : .v6) }
      return (try link.session.run(probes, timeout: .seconds(5), parallel: 512) { told.append($0) }, told)
    }
    #expect(seen.filter { $0 == .delivered }.count == 2000, "\(Set(seen))")
    #expect(told.last == 2000)
    #expect(zip(told, told.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test(arguments: ProbeTransport.withPorts) func fourHundredRefusalsArriveOnceTheKernelsLimitIsLifted(
    transport: ProbeTransport
  ) async throws {
    let seen = try await blocking {
      let link = try ProbeLink()
      try link.liftICMPLimits()
      try link.filter(link.server, "input", "\(transport) dport 7000 reject with icmp type port-unreachable")
      return try link.session.run(
        Array(repeating: link.probe(transport, .v4), count: 400), timeout: .seconds(5), parallel: 400)
    }
    #expect(seen.filter { $0 == .refused(.icmp(type: 3, code: 3)) }.count == 400, "\(Set(seen))")
  }

  @Test func answersKeepTheOrderOfTheQuestions() async throws {
    let seen = try await blocking {
      let link = try ProbeLink()
      try link.liftICMPLimits()
      try link.filter(
        link.server, "input", "tcp dport 7001 drop", "tcp dport 7002 reject with icmp type port-unreachable")
      let probes = (0..<300).map { link.probe(.tcp, .v4, port: 7000 + UInt16($0 % 4)) }
      return try link.session.run(probes, timeout: .seconds(1), parallel: 100)
    }
    let cycle: [ProbeOutcome] = [
      .delivered, .silent(after: .seconds(1)), .refused(.icmp(type: 3, code: 3)), .refused(.reset),
    ]
    #expect(seen == (0..<300).map { cycle[$0 % 4] })
  }

  @Test func silentProbesWaitTogether() async throws {
    let (seen, nanoseconds) = try await blocking {
      let link = try ProbeLink()
      try link.filter(link.server, "input", "meta l4proto { tcp, udp, sctp } th dport 7000 drop")
      let probes = (0..<400).map { link.probe(ProbeTransport.withPorts[$0 % 3], .v4) }
      let begin = MonotonicClock.now
      let seen = try link.session.run(probes, timeout: .milliseconds(400), parallel: 200)
      return (seen, MonotonicClock.now - begin)
    }
    #expect(seen == Array(repeating: .silent(after: .milliseconds(400)), count: 400))
    // Two windows of 200. One by one, the probes would take 160 s.
    #expect((800_000_000..<20_000_000_000).contains(nanoseconds))
  }

  @Test func aSecondRunSeesTheNewRules() async throws {
    let (before, after) = try await blocking {
      let link = try ProbeLink()
      let probes = (0..<102).map { link.probe(ProbeTransport.withPorts[$0 % 3], .v4) }
      // A rule that keeps established flows must not take a later probe for one of them.
      let keep = "ct state established,related accept"
      try link.filter(link.server, "input", keep)
      let before = try link.session.run(probes, timeout: .seconds(5))
      try link.filter(link.server, "input", "th dport 7000 drop")
      return (before, try link.session.run(probes, timeout: .milliseconds(300)))
    }
    #expect(before == Array(repeating: .delivered, count: 102))
    #expect(after == Array(repeating: .silent(after: .milliseconds(300)), count: 102))
  }

  @Test func noProbesGiveNoObservations() async throws {
    #expect(try await blocking { try ProbeLink().session.run([], timeout: .seconds(1)) }.isEmpty)
  }
}
