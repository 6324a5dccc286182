// Covers what one probe sees between two namespaces on one link. Not covered: forwarding, NAT, bridges, and a TCP probe
// that loses the answer to its SYN, which it can't distinguish from a lost SYN.
import Kernel
import TestSupport
import Testing

private let ways = ProbeTransport.withPorts.flatMap { transport in AddressFamily.allCases.map { (transport, $0) } }

@Suite(.needsNamespaces) struct ProbeTests {
  private func withLink<Result: Sendable>(_ body: @escaping @Sendable (ProbeLink) throws -> Result) async throws
    -> Result
  {
    try await blocking { try body(try ProbeLink()) }
  }

  @Test(arguments: ways) func anOpenPathDelivers(transport: ProbeTransport, family: AddressFamily) async throws {
    #expect(try await withLink { try $0.observe(transport, family) } == .delivered)
  }

  @Test(arguments: ways) func aRejectIsAnICMPRefusal(transport: ProbeTransport, family: AddressFamily) async throws {
    let seen = try await withLink {
      try $0.filter($0.server, "input", "\(transport) dport 7000 reject with icmpx type port-unreachable")
      return try $0.observe(transport, family)
    }
    #expect(seen == .refused(family == .v4 ? .icmp(type: 3, code: 3) : .icmp(type: 1, code: 4)))
  }

  @Test(arguments: ways) func aProhibitionIsAnICMPRefusal(transport: ProbeTransport, family: AddressFamily) async throws
  {
    let seen = try await withLink {
      try $0.filter($0.server, "input", "\(transport) dport 7000 reject with icmpx type admin-prohibited")
      return try $0.observe(transport, family)
    }
    #expect(seen == .refused(family == .v4 ? .icmp(type: 3, code: 13) : .icmp(type: 1, code: 1)))
  }

  @Test(arguments: ways) func aDropIsSilent(transport: ProbeTransport, family: AddressFamily) async throws {
    let seen = try await withLink {
      try $0.filter($0.server, "input", "\(transport) dport 7000 drop")
      return try $0.observe(transport, family, timeout: ProbeLink.brief)
    }
    #expect(seen == .silent(after: ProbeLink.brief))
  }

  @Test(arguments: AddressFamily.allCases) func aResetIsNotAnICMPRefusal(family: AddressFamily) async throws {
    let seen = try await withLink {
      try $0.filter($0.server, "input", "tcp dport 7000 reject with tcp reset")
      return try $0.observe(.tcp, family)
    }
    #expect(seen == .refused(.reset))
  }

  @Test(arguments: ways) func aMissingListenerRefuses(transport: ProbeTransport, family: AddressFamily) async throws {
    let seen = try await withLink { try $0.observe(transport, family, port: 7001, timeout: .seconds(1)) }
    let refusal: ProbeRefusal =
      switch transport {
      case .tcp: .reset
      case .udp: .icmp(type: family == .v4 ? 3 : 1, code: family == .v4 ? 3 : 4)
      case .sctp: .abort
      case .ping: .local
      }
    #expect(seen == .refused(refusal))
  }

  @Test(arguments: ways) func noRouteProvesNothing(transport: ProbeTransport, family: AddressFamily) async throws {
    let seen = try await withLink { link in
      let elsewhere: [UInt8] =
        family == .v4 ? [192, 0, 2, 1] : [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 1, count: 12)
      return try link.session.run(
        [Probe(from: link.client, to: ProbeAddress(elsewhere, port: 80), transport)], timeout: ProbeLink.patience)
    }
    #expect(seen.count == 1 && seen[0].isUnusable(saying: "no route to"))
  }

  @Test(arguments: ProbeTransport.withPorts) func anUnreachableHostProvesNothing(transport: ProbeTransport) async throws
  {
    let seen = try await withLink {
      try $0.filter($0.server, "input", "\(transport) dport 7000 reject with icmpx type host-unreachable")
      return try $0.observe(transport)
    }
    #expect(seen.isUnusable(saying: "ICMP error 3/1"))
  }

  @Test(arguments: ways) func aProbeUsesItsSourceAddress(transport: ProbeTransport, family: AddressFamily) async throws
  {
    let seen = try await withLink { link in
      let match = family == .v4 ? "ip saddr 10.9.0.3" : "ip6 saddr fd09::3"
      try link.filter(link.server, "input", "\(match) reject with icmpx type port-unreachable")
      return try [1, 3, 4].map { try link.observe(transport, family, from: $0) }
    }
    #expect(seen[0] == .delivered)
    #expect(seen[1] == .refused(.icmp(type: family == .v4 ? 3 : 1, code: family == .v4 ? 3 : 4)))
    #expect(
      seen[2].isUnusable(saying: transport == .sctp ? "send from" : "bind to"), "no host has fd09::4 or 10.9.0.4")
  }

  @Test func theSendersOwnKernelRefusesADatagramAndAnINITAndSwallowsASYN() async throws {
    let seen = try await withLink { link in
      try link.filter(link.client, "output", "meta l4proto { tcp, udp, sctp } th dport 7000 drop")
      return try ProbeTransport.withPorts.map { try link.observe($0, timeout: ProbeLink.brief) }
    }
    #expect(seen == [.silent(after: ProbeLink.brief), .refused(.local), .refused(.local)])
  }

  @Test(arguments: ways) func aRejectOnTheSendersSideIsAnICMPRefusal(
    transport: ProbeTransport, family: AddressFamily
  ) async throws {
    let seen = try await withLink {
      try $0.filter($0.client, "output", "\(transport) dport 7000 reject with icmpx type port-unreachable")
      return try $0.observe(transport, family)
    }
    #expect(seen == .refused(family == .v4 ? .icmp(type: 3, code: 3) : .icmp(type: 1, code: 4)))
  }

  @Test(arguments: [ProbeTransport.udp, .sctp]) func aLostReplyIsNotSilence(transport: ProbeTransport) async throws {
    let seen = try await withLink { link in
      try link.filter(link.client, "input", "\(transport) sport 7000 drop")
      return try AddressFamily.allCases.map { try link.observe(transport, $0, timeout: ProbeLink.brief) }
    }
    #expect(seen == Array(repeating: .unusable("request delivered, reply lost"), count: 2))
  }

  @Test(arguments: [ProbeTransport.udp, .sctp]) func aReplyThatTheListenerCanNotSendIsNotSilence(
    transport: ProbeTransport
  ) async throws {
    let seen = try await withLink { link in
      try link.filter(link.server, "output", "\(transport) sport 7000 drop")
      return try link.observe(transport, timeout: ProbeLink.brief)
    }
    #expect(seen == .unusable("request delivered, reply lost"))
  }

  @Test(arguments: [ProbeTransport.udp, .sctp]) func aRequestLostOnceIsSentAgain(transport: ProbeTransport) async throws
  {
    let seen = try await withLink { link in
      try link.filter(link.server, "input", "\(transport) dport 7000 numgen inc mod 2 == 0 drop")
      return try link.observe(transport, timeout: .seconds(1))
    }
    #expect(seen == .delivered)
  }

  @Test func aListenerThatCanNotBeOpenedIsNamedAndClosesTheOthers() async throws {
    let (message, seen) = try await withLink { link in
      let good = Listener(in: link.server, on: ProbeLink.destination(.v4, port: 7002), .tcp)
      let taken = Listener(in: link.server, on: ProbeLink.destination(.v6), .udp)
      var message = ""
      do { try link.session.listen([good, taken]) } catch { message = "\(error)" }
      return (message, try link.observe(.tcp, port: 7002))
    }
    #expect(message == "listener on udp [fd09::2]:7000: Address already in use (EADDRINUSE)")
    #expect(seen == .refused(.reset))
  }

  @Test func aPodReachesItself() async throws {
    let seen = try await withLink { link in
      let probes = ways.map { Probe(from: link.server, to: ProbeLink.destination($1), $0) }
      return try link.session.run(probes, timeout: ProbeLink.patience)
    }
    #expect(seen == Array(repeating: .delivered, count: ways.count))
  }
}

extension ProbeOutcome {
  fileprivate func isUnusable(saying words: String) -> Bool {
    if case .unusable(let reason) = self { reason.contains(words) } else { false }
  }
}
