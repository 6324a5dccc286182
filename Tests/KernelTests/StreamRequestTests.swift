// Covers what one request sees on a path through a forwarding namespace. Not covered: how long a request takes, which
// the kernel decides.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct StreamRequestTests {
  private static let patience = Duration.seconds(5)
  private static let brief = Duration.milliseconds(100)

  enum Way: CaseIterable { case tcp, udp }

  private static func request(_ way: Way, _ link: StreamLink, _ family: AddressFamily = .v4, _ patience: Duration)
    throws
    -> TimedRequest
  {
    let (source, address) = (StreamLink.address(family, 1), StreamLink.destination(family))
    return switch way {
    case .tcp:
      try .tcpConnect(
        from: link.source, sourceAddress: source, to: address, patience: patience, worker: link.worker)
    case .udp:
      try .udpRequest(
        from: link.source, sourceAddress: source, to: address, patience: patience, worker: link.worker)
    }
  }

  /// The outcome of a request to an echo server, with `rule` at the node's forward hook.
  private func outcome(_ way: Way, _ family: AddressFamily = .v4, rule: String?, patience: Duration = patience)
    async throws -> TimedRequest.Outcome
  {
    try await blocking {
      let link = try StreamLink()
      let server = try EchoServer(on: StreamLink.destination(family), in: link.target, worker: link.worker)
      defer { withExtendedLifetime(server) {} }
      if let rule { try link.forward(rule) }
      let request = try Self.request(way, link, family, patience)
      #expect(request.start < request.end)
      return request.outcome
    }
  }

  @Test(arguments: Way.allCases, AddressFamily.allCases)
  func anOpenPathAnswers(way: Way, family: AddressFamily) async throws {
    #expect(try await outcome(way, family, rule: nil) == .answered)
  }

  @Test(arguments: Way.allCases) func aRejectRefuses(way: Way) async throws {
    #expect(try await outcome(way, rule: "ip daddr 10.9.2.1 reject") == .refused)
  }

  @Test func aResetRefuses() async throws {
    #expect(try await outcome(.tcp, rule: "tcp dport 7000 reject with tcp reset") == .refused)
  }

  @Test(arguments: Way.allCases) func aDropIsSilent(way: Way) async throws {
    #expect(try await outcome(way, rule: "ip daddr 10.9.2.1 drop", patience: Self.brief) == .silent)
  }

  @Test(arguments: Way.allCases) func otherErrorsAreReported(way: Way) async throws {
    let seen = try await outcome(way, rule: "ip daddr 10.9.2.1 reject with icmp host-prohibited")
    guard case .failed(let error) = seen else {
      Issue.record("\(seen)")
      return
    }
    #expect(error.name == "EHOSTUNREACH")
  }

  @Test(arguments: Way.allCases) func aServerAnswersAsLongAsItLives(way: Way) async throws {
    let outcomes = try await blocking {
      let link = try StreamLink()
      var server: EchoServer? = try EchoServer(on: StreamLink.destination(.v4), in: link.target, worker: link.worker)
      let first = try Self.request(way, link, .v4, Self.patience).outcome
      withExtendedLifetime(server) {}
      server = nil
      // A program that another test starts may hold a copy of the listener until its exec.
      var second = try Self.request(way, link, .v4, Self.patience).outcome
      // Nobody reads from a copy of a UDP socket.
      for _ in 0..<100 where second == .answered || way == .udp && second == .silent {
        usleep(20_000)
        second = try Self.request(way, link, .v4, Self.patience).outcome
      }
      return [first, second]
    }
    #expect(outcomes == [.answered, .refused])
  }

  private static func hold(_ way: Way, _ link: StreamLink) throws -> HeldConnection {
    let (source, address) = (StreamLink.address(.v4, 1), StreamLink.destination(.v4))
    switch way {
    case .tcp:
      let held = try HeldConnection.tcp(
        from: link.source, sourceAddress: source, to: address, patience: patience, worker: link.worker)
      #expect(held.request.outcome == .answered)
      return try #require(held.connection)
    case .udp:
      return try .udp(from: link.source, sourceAddress: source, to: address, worker: link.worker)
    }
  }

  @Test("a connection is silent while its path is closed, and works again afterwards", arguments: Way.allCases)
  func connectionsAreHeld(way: Way) async throws {
    let outcomes = try await blocking {
      let link = try StreamLink()
      let server = try EchoServer(on: StreamLink.destination(.v4), in: link.target, worker: link.worker)
      defer { withExtendedLifetime(server) {} }
      let held = try Self.hold(way, link)
      var outcomes = [held.ask(patience: Self.patience).outcome, held.ask(patience: Self.patience).outcome]
      try link.forward("ip daddr 10.9.2.1 drop")
      outcomes.append(held.ask(patience: Self.brief).outcome)
      try Command(["nft", "flush", "ruleset"]).run(in: link.node, on: link.worker).requireSuccess()
      outcomes.append(held.ask(patience: Self.patience).outcome)
      return outcomes
    }
    #expect(outcomes == [.answered, .answered, .silent, .answered])
  }

  @Test("a connection survives a new drop rule behind one that accepts established traffic", arguments: Way.allCases)
  func establishedConnectionsSurvive(way: Way) async throws {
    let outcomes = try await blocking {
      let link = try StreamLink()
      let server = try EchoServer(on: StreamLink.destination(.v4), in: link.target, worker: link.worker)
      defer { withExtendedLifetime(server) {} }
      // Connection tracking starts with the first rule that uses it.
      try link.forward("ct state established accept")
      let held = try Self.hold(way, link)
      let before = held.ask(patience: Self.patience).outcome
      try link.forward("ip daddr 10.9.2.1 drop")
      let after = held.ask(patience: Self.patience).outcome
      return [before, after, try Self.request(way, link, .v4, Self.brief).outcome]
    }
    #expect(outcomes == [.answered, .answered, .silent])
  }

  @Test("a permitted real-time priority is granted and given back") func realTime() async throws {
    let outcome = try await blocking {
      if let obstacle = RealTimeScheduling.obstacle(to: 10) { return obstacle.name }
      try RealTimeScheduling.enter(priority: 10)
      try RealTimeScheduling.leave()
      return "granted"
    }
    #expect(outcome == "granted" || outcome == "EPERM")
    #expect(RealTimeScheduling.obstacle(to: 100)?.name == "EINVAL")
  }
}
