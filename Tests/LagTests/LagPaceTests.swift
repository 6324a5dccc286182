import Lowering
import NetpolModel
import Testing

@testable import Lag

@Suite("Lag: how densely packets are sent") struct LagPaceTests {
  /// A beat's first datagram takes 25 us, each further one 5 us.
  private func pace(
    _ streams: Int, wanted: Duration? = nil, window: Duration, sync: Duration = .milliseconds(100)
  ) -> LagPace {
    LagPace(
      LagPace.Cost(first: 25_000, further: 5_000), streams: streams, wanted: wanted, window: window, syncTakes: sync)
  }

  @Test("long windows get few packets, so that the sender is idle nearly all the time")
  func gentle() {
    let long = pace(5, window: .milliseconds(50))
    // 45 us are a tenth of it.
    #expect(long.spacing == .microseconds(450) && long.mostStreams == 5 && long.reason == nil)
    // 20 samples in a window of 8 ms.
    #expect(pace(5, window: .milliseconds(8)).spacing == .microseconds(400))
  }

  @Test("a shorter window leaves room for fewer streams")
  func room() {
    #expect(pace(43, window: .milliseconds(50)).mostStreams == 43)
    #expect(pace(43, window: .milliseconds(200)).mostStreams == 43)
    #expect(pace(43, window: .milliseconds(10)).mostStreams == 6)
  }

  @Test("very short windows get packets as dense as can be")
  func dense() {
    let dense = pace(5, window: .microseconds(200))
    #expect(dense.spacing >= .microseconds(50) && dense.spacing <= .microseconds(100))
  }

  @Test("a wanted spacing is kept if the sender can keep it")
  func wanted() {
    let kept = pace(5, wanted: .milliseconds(1), window: .milliseconds(50))
    #expect(kept.spacing == .milliseconds(1) && kept.reason == nil)
    let wider = pace(5, wanted: .microseconds(20), window: .milliseconds(50))
    #expect(wider.spacing > .microseconds(20))
    #expect(wider.reason?.contains("because sending one takes") == true, "\(wider.reason ?? "")")
    let long = pace(5, wanted: .milliseconds(1), window: .milliseconds(50), sync: .seconds(400))
    #expect(long.spacing == .milliseconds(2) && long.reason?.contains("because a sync takes") == true)
  }

  @Test("all streams share each beat if there is time, otherwise most take turns")
  func shares() throws {
    let world = LagWorld(policies: 10, pods: 40, local: 12)
    let streams = try LagPlan(LagActors(world, .newPod, burst: 1, defaultDeny: false), .kubeRouterK3s).streams
    #expect(pace(5, window: .milliseconds(50)).shares(streams).allSatisfy { $0 == (1, 0) })
    let dense = pace(5, window: .microseconds(200)).shares(streams)
    let first = try #require(streams.firstIndex { $0.change == .opens && $0.isOutgoing })
    #expect(dense[first] == (2, 0))
    #expect(dense.enumerated().allSatisfy { $0.offset == first || $0.element.every == 8 })
    // No beat has two datagrams.
    #expect((0..<16).allSatisfy { beat in dense.filter { beat % $0.every == $0.phase }.count == 1 })
  }
}
