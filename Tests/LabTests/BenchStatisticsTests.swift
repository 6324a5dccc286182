import Foundation
import FoundationXML
import Lowering
import NetpolModel
import Testing
import Worlds

@testable import Lab

@Suite("Bench: what is said of measured costs") struct BenchStatisticsTests {
  /// Noise that all cells of a round share, and a little of their own.
  private static func noisy(_ costs: [Double], rounds: Int = 300, own: Double = 20, seed: UInt64 = 7) -> PairedSamples {
    var random = SplitMix64(seed: seed)
    let shared = (0..<rounds).map { $0 / 40 % 2 == 0 ? 1000 : 1600.0 + Double.random(in: 0..<300, using: &random) }
    return PairedSamples(
      costs.map { cost in shared.map { $0 + cost + Double.random(in: -own...own, using: &random) } })
  }

  @Test("differences are paired: what a round does to all of them is not seen") func paired() {
    let samples = Self.noisy([0, 250])
    let difference = samples.difference(1, over: 0)
    #expect(abs(difference.value - 250) < 5 && difference.lower < 250 && 250 < difference.upper)
    #expect(difference.upper - difference.lower < 15)
    let median = samples.median(1)
    #expect(median.upper - median.lower > 100, "the plain median has the noise: \(median)")
  }

  @Test("the same measured twice does not differ, whatever the noise", arguments: 1...20) func twice(_ seed: UInt64) {
    let difference = Self.noisy([0, 0], seed: seed).difference(1, over: 0)
    #expect(abs(difference.value) < 5, "\(difference)")
    #expect(difference.lower <= 3 && difference.upper >= -3)
  }

  @Test("a ratio is of costs over their bases, and there is none to nothing") func ratios() throws {
    let samples = Self.noisy([0, 100, 1000, 0], own: 2)
    let ratio = try #require(samples.ratio(2, over: 0, to: 1, over: 0))
    #expect(abs(ratio.value - 10) < 0.5 && ratio.lower <= 10.2 && ratio.upper >= 9.8)
    #expect(samples.ratio(2, over: 0, to: 3, over: 0) == nil)
  }

  @Test("the same values and seed give the same intervals") func reproducible() {
    #expect(Self.noisy([0, 9]).difference(1, over: 0) == Self.noisy([0, 9]).difference(1, over: 0))
  }

  @Test(
    "a winner is named only where its interval, widened by the resolution, is below all others",
    arguments: [
      ([10.0, 20, 30], 2.0, Standing.cheapest("a")), ([10, 12, 30], 2, .undecided(["a", "b"])),
      ([10, 16, 30], 5, .undecided(["a", "b"])), ([30, 20, 10], 2, .cheapest("c")),
      ([10, 10, 10], 0, .undecided(["a", "b", "c"])),
    ])
  func standings(_ values: [Double], _ resolution: Double, _ expected: Standing) {
    let costs = zip(["a", "b", "c"], values).map { ($0, Estimate($1, $1 - 1, $1 + 1)) }
    #expect(Standing(costs, resolution: resolution) == expected)
    #expect(Standing(Array(costs.prefix(1)), resolution: resolution) == nil)
  }

  @Test("rounds end where they are stopped, and those that were measured are whole") func stopped() {
    var rounds = 0
    let values = PairedRounds(groups: [2], rounds: 5).run { _ in
      1
    } progress: { done, _ in
      rounds = done
    } stop: {
      rounds == 3
    }
    #expect(values == [[1, 1, 1], [1, 1, 1]])
  }

  @Test("a round measures every cell once, groups forwards and backwards by turns, and a group in any order")
  func order() {
    var seen: [Int] = []
    let values = PairedRounds(groups: [3, 2], rounds: 100).run { cell in
      seen.append(cell)
      return Double(seen.count)
    }
    let rounds = stride(from: 0, to: seen.count, by: 5).map { Array(seen[$0..<$0 + 5]) }
    #expect(rounds.count == 100 && rounds.allSatisfy { $0.sorted() == [0, 1, 2, 3, 4] })
    for (round, order) in rounds.enumerated() {
      let (first, second) =
        round.isMultiple(of: 2) ? (order.prefix(3), order.suffix(2)) : (order.suffix(3), order.prefix(2))
      #expect(first.allSatisfy { $0 < 3 } && second.allSatisfy { $0 >= 3 }, "round \(round): \(order)")
      for (place, cell) in order.enumerated() { #expect(values[cell][round] == Double(5 * round + place + 1)) }
    }
    let orders = Set(rounds.map { $0.filter { $0 < 3 } })
    #expect(orders.count == 6, "each order of three comes up: who is behind whom is chance")
  }

  @Test(
    "a machine is too noisy where the same differs from itself, or where it is not known whether it does",
    arguments: [(1.0, -2.0, 4.0, false), (8, 6, 10, true), (1, -30, 30, true)])
  func noise(_ value: Double, _ lower: Double, _ upper: Double, _ isNoisy: Bool) {
    let probe = BenchProbe(.established, .lastPod)
    let pair = PacketBenchReport.Resolution(
      batch: 0, .sameNamespace, probe, "compiled", Estimate(value, lower, upper), base: 1000)
    #expect((tooNoisy([pair]) != nil) == isNoisy)
    var other = pair
    other.pair = .otherNamespace
    #expect(tooNoisy([other]) == nil, "another namespace's layout is no noise")
  }
}

@Suite("Bench: worlds, sweeps, pictures") struct BenchWorldTests {
  @Test(
    "a world has the pods, policies and peers it was asked for, and every pod a policy",
    arguments: [
      BenchWorld(pods: 1), BenchWorld(pods: 7), BenchWorld(pods: 10, policies: 3, peers: 2),
      BenchWorld(pods: 4, policies: 12, peers: 5), BenchWorld(pods: 3, peers: 4, peerKind: .blocks),
      BenchWorld(pods: 7, policies: 3, peers: 2, family: .v6),
      BenchWorld(pods: 3, peers: 4, peerKind: .blocks, family: .v6),
    ])
  func shape(_ world: BenchWorld) throws {
    let cluster = world.cluster
    #expect(cluster.families == [world.family])
    let local = cluster.pods.filter { $0.node == BenchWorld.node && $0.id.name != "client" }
    #expect(local.count == world.pods && cluster.policies.count == world.policies)
    for (number, pod) in local.enumerated() {
      let selecting = cluster.policies.indices.filter { cluster.policies[$0].podSelector.matches(pod.labels) }
      #expect(selecting == world.policies(ofPod: number) && !selecting.isEmpty)
      #expect(pod.podIP == world.address(ofPod: number))
    }
    for (number, policy) in cluster.policies.enumerated() {
      let peers = (0..<world.peers).map { world.peerAddress($0, ofPolicy: number) }
      #expect(Set(peers).count == world.peers)
      for peer in policy.ingress[0].peers.list {
        guard case .pods(_, let selector) = peer, selector.matchLabels["role"] == nil else { continue }
        let selected = cluster.pods.filter { selector.matches($0.labels) }.compactMap(\.podIP)
        #expect(Set(selected) == Set(peers))
      }
    }
    #expect(Set(cluster.pods.compactMap(\.podIP)).count == cluster.pods.count)
  }

  @Test("a probe goes to the pods that it names, from a peer of the policy that it names") func flows() {
    let world = BenchWorld(pods: 4, policies: 8, peers: 3)
    let order = [2, 0, 3, 1]
    let flow = { (probe: BenchProbe) in world.flows(probe, order: order) }
    #expect(flow(BenchProbe(.first, .firstPod)).map(\.destination) == [world.address(ofPod: 2)])
    #expect(flow(BenchProbe(.first, .lastPod)).map(\.destination) == [world.address(ofPod: 1)])
    #expect(flow(BenchProbe(.first, .pod(3))).map(\.destination) == [world.address(ofPod: 3)])
    #expect(Set(flow(BenchProbe(.first, .spread)).map(\.destination)) == Set((0..<4).map(world.address)))
    let peers = { (policy: Int) in Set((0..<3).map { world.peerAddress($0, ofPolicy: policy) }) }
    #expect(peers(1).contains(flow(BenchProbe(.first, .lastPod, from: .peerOfFirst))[0].source))
    #expect(peers(5).contains(flow(BenchProbe(.first, .lastPod, from: .peerOfLast))[0].source))
    #expect(flow(BenchProbe(.first, .lastPod, from: .stranger))[0].source == BenchAddresses(.v4).stranger)
    #expect(flow(BenchProbe(.first, .lastPod, .bridged))[0].source == BenchAddresses(.v4).client)
  }

  @Test("the order of pods is the rules' own, and without one that of the addresses", arguments: EnforcementStyle.all)
  func dispatch(_ style: EnforcementStyle) throws {
    for family in IPFamily.allCases {
      let world = BenchWorld(pods: 5, peers: 1, family: family)
      let cluster = world.cluster
      let ruleset = BenchRules.style(style).ruleset(try #require(cluster.node(BenchWorld.node)), in: cluster)
      let order = dispatchOrder(of: (0..<5).map(world.address), in: ruleset)
      #expect(order.sorted() == [0, 1, 2, 3, 4])
      #expect(dispatchOrder(of: (0..<5).map(world.address), in: nil) == [0, 1, 2, 3, 4])
    }
  }

  @Test("the product has every combination once, and no batch more variants than it may") func product() {
    let sweep = PacketSweep.full
    #expect(Set(sweep.points.map(\.world)).count == sweep.points.count && sweep.points.count == 72)
    #expect(sweep.batches.flatMap { $0 } == sweep.points)
    #expect(sweep.batches.allSatisfy { $0.count * 6 <= 60 && $0.map(\.world.pods).reduce(0, +) <= 20_000 })
    #expect(PacketSweep.usual.batches.count == 1)
    let growing = PacketSweep.product(pods: [10, 1000, 10_000], policies: [], peers: [20], kinds: [.pods])
    #expect(growing.batches.count == 1)
  }

  @Test("over both families every world is measured in each, side by side") func families() {
    let usual = PacketSweep.usual
    let points = usual.over(IPFamily.allCases).points
    #expect(points.count == 2 * usual.points.count)
    for (index, point) in usual.points.enumerated() {
      let both = points[2 * index..<2 * index + 2]
      #expect(both.map(\.world.family) == [.v4, .v6])
      #expect(both.allSatisfy { $0.probes == point.probes && $0.world.pods == point.world.pods })
    }
    #expect(usual.over([.v4]).points == usual.points)
  }

  @Test("a plot is well-formed XML with a line and a legend for each series") func plot() throws {
    let series = (1...3).map { number in
      (
        name: "a < b & \(number)",
        points: [10.0, 100, 1000].map { LogPlot.Point(x: $0, y: Estimate($0 * Double(number), -5, $0 * 4)) }
      )
    }
    let svg = LogPlot(title: "t & u", horizontal: "x", vertical: "y", series: series).svg
    let reader = XMLEvents()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    #expect(parser.parse())
    #expect(reader.names["polyline"] == 3 && reader.text.contains("a < b & 2"))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    // The pods that were measured, and powers of ten.
    for mark in [">10<", ">100<", ">1,000<", ">5,000<", ">95 % interval<"] { #expect(svg.contains(mark), "\(mark)") }
  }
}

private final class XMLEvents: NSObject, XMLParserDelegate {
  var names: [String: Int] = [:]
  var text = ""
  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) { names[name, default: 0] += 1 }
  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
