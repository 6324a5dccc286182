// Covers what only SCTP probes see; ProbeTests covers what they share with TCP and UDP. Not covered: a kernel with
// SCTP.
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct SCTPProbeTests {
  private func withLink<Result: Sendable>(_ body: @escaping @Sendable (ProbeLink) throws -> Result) async throws
    -> Result
  {
    try await blocking { try body(try ProbeLink()) }
  }

  /// Loads rules of iptables or ip6tables into the server's filter table.
  private static func restore(_ link: ProbeLink, _ family: AddressFamily, _ rules: String...) throws {
    let text = "*filter\n:INPUT ACCEPT [0:0]\n\(rules.joined(separator: "\n"))\nCOMMIT\n"
    let program = family == .v4 ? "iptables-restore" : "ip6tables-restore"
    try Command([program, "-w"], input: Array(text.utf8)).run(in: link.server, on: link.worker).requireSuccess()
  }

  @Test(arguments: AddressFamily.allCases) func iptablesRulesApplyToIt(family: AddressFamily) async throws {
    let seen = try await withLink { link in
      try link.session.listen([Listener(in: link.server, on: ProbeLink.destination(family, port: 7002), .sctp)])
      try Self.restore(
        link, family, "-A INPUT -p sctp -m sctp --dport 7000 -j REJECT", "-A INPUT -p sctp --dport 7001 -j DROP")
      return try [7000, 7001, 7002].map { try link.observe(.sctp, family, port: $0, timeout: .seconds(1)) }
    }
    let unreachable = ProbeRefusal.icmp(type: family == .v4 ? 3 : 1, code: family == .v4 ? 3 : 4)
    #expect(seen == [.refused(unreachable), .silent(after: .seconds(1)), .delivered])
  }

  @Test(arguments: AddressFamily.allCases) func conntrackTakesTheINITForNewAndItsAnswerForEstablished(
    family: AddressFamily
  ) async throws {
    let seen = try await withLink { link in
      try link.filter(
        link.server, "input", "ct state invalid drop", "ct state established drop",
        "meta l4proto sctp ct state != new drop")
      try link.filter(link.client, "input", "meta l4proto sctp ct state != established drop")
      return try link.observe(.sctp, family, timeout: .seconds(1))
    }
    #expect(seen == .delivered)
  }

  @Test(arguments: AddressFamily.allCases) func aHostWithoutSCTPProvesNothing(family: AddressFamily)
    async throws
  {
    let seen = try await withLink { link in
      // The client has no listener, and so no raw socket.
      let unaware = ProbeAddress(ProbeLink.address(family, 1), port: 9)
      return try link.session.run([Probe(from: link.server, to: unaware, .sctp)], timeout: .milliseconds(300))
    }
    // Protocol unreachable; unrecognized next header. A kernel with SCTP sends ABORT.
    let error = family == .v4 ? "ICMP error 3/2 on the way to 10.9.0.1:9" : "ICMP error 4/1 on the way to [fd09::1]:9"
    #expect(seen == [.unusable(error)] || seen == [.refused(.abort)])
  }

  @Test func twoSessionsInOneNamespaceDoNotAnswerForEachOther() async throws {
    let seen = try await withLink { link in
      let other = try ProbeSession(worker: link.worker)
      try other.listen([Listener(in: link.server, on: ProbeLink.destination(.v4, port: 7003), .sctp)])
      let probes = [7000, 7003].map { link.probe(.sctp, .v4, port: $0) }
      return [
        try link.session.run(probes, timeout: .milliseconds(300)), try other.run(probes, timeout: .milliseconds(300)),
      ]
    }
    #expect(seen[0] == [.delivered, .refused(.abort)])
    #expect(seen[1] == [.refused(.abort), .delivered])
  }

  @Test func aListenerCanBeOpenedOnceAndOnlyOnAnAddressOfItsNamespace() async throws {
    let messages = try await withLink { link in
      [UInt8(2), 4].map { host in
        let address = ProbeAddress(ProbeLink.address(.v4, host), port: ProbeLink.port)
        do {
          try link.session.listen([Listener(in: link.server, on: address, .sctp)])
          return "opened"
        } catch { return "\(error)" }
      }
    }
    #expect(
      messages == [
        "listener on sctp 10.9.0.2:7000: Address already in use (EADDRINUSE)",
        "listener on sctp 10.9.0.4:7000: Cannot assign requested address (EADDRNOTAVAIL)",
      ])
  }

  @Test func refusalsOfOneProbeAreNotTakenForAnothers() async throws {
    let seen = try await withLink { link in
      try link.liftICMPLimits()
      try link.filter(
        link.server, "input", "sctp dport 7001 drop", "sctp dport 7002 reject with icmpx type port-unreachable",
        "sctp dport 7003 reject with icmpx type host-unreachable")
      let probes = (0..<400).map { index in
        link.probe(.sctp, index % 8 < 4 ? .v4 : .v6, port: 7000 + UInt16(index % 4))
      }
      return try link.session.run(probes, timeout: .seconds(1), parallel: 200)
    }
    for (index, observation) in seen.enumerated() {
      let isV4 = index % 8 < 4
      switch index % 4 {
      case 0: #expect(observation == .delivered)
      case 1: #expect(observation == .silent(after: .seconds(1)))
      case 2: #expect(observation == .refused(isV4 ? .icmp(type: 3, code: 3) : .icmp(type: 1, code: 4)))
      default:
        if case .unusable = observation { continue }
        Issue.record("\(observation)")
      }
    }
  }

  @Test func thisMachinePermitsRawSockets() async throws {
    #expect(try await blocking { try ProbeSession.obstacle(to: .sctp, on: try NamespaceWorker()) } == nil)
  }
}
