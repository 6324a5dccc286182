internal import Bench
internal import Documents
internal import NetpolModel
internal import StandingLab
internal import Statistics

let benchSchema = "netpol-lab/bench/v1"

/// The facts that all packet benches have in common. All costs are nanoseconds per packet.
func packetFacts(
  _ kind: String, _ environment: LabEnvironment, _ machine: String, rounds: Int, _ clock: BenchClock, isRealTime: Bool,
  noise: String?, interruption: String?, _ duration: Duration
) -> [Fact] {
  [
    Fact("kind", kind), Fact("environment", EnvironmentObject(environment)), Fact("machine", machine),
    Fact("rounds", rounds), Fact("clock", clock.rawValue), Fact("isRealTime", isRealTime), Fact("tooNoisy", noise),
    Fact("interrupted", interruption), Fact("seconds", duration / .seconds(1)),
  ]
}

struct OriginObject: Encodable {
  let node: String
  let pods, policies, flows, leftOut: Int
  init(_ origin: PolicyBenchReport.Origin) {
    (node, pods, policies) = (origin.node, origin.pods, origin.policies)
    (flows, leftOut) = (origin.flows, origin.unequal)
  }
}

struct SentFlowObject: Encodable {
  let flow, family, way: String
  let isAllowed: Bool
}

struct WinnerObject: Encodable {
  let what: String
  let batch: Int
  /// `nil` if none is the cheapest. `between` then has those that can't be distinguished.
  let cheapest: String?
  let between: [String]
  init(what: String, batch: Int, _ standing: Standing) {
    self.what = what
    self.batch = batch
    switch standing {
    case .cheapest(let name): (cheapest, between) = (name, [])
    case .undecided(let names): (cheapest, between) = (nil, names)
    }
  }
}

struct GrowthObject: Encodable {
  let rules, probe, peerKind, family: String
  let peers, fromPods, toPods: Int
  let times: IntervalObject
  init(_ growth: PacketBenchReport.Growth) {
    (rules, probe, times) = (growth.rules, growth.probe.name, IntervalObject(growth.times))
    (peers, peerKind) = (growth.from.peers, growth.from.peerKind.rawValue)
    (family, fromPods, toPods) = (growth.from.family.rawValue, growth.from.pods, growth.to.pods)
  }
}

struct MeasuredTwiceObject: Encodable {
  let pair, what: String
  let batch: Int
  let difference: IntervalObject
  let packet: Double
  init(pair: String, what: String, batch: Int, difference: Estimate, packet: Double) {
    (self.pair, self.what, self.batch, self.packet) = (pair, what, batch, packet)
    self.difference = IntervalObject(difference)
  }
  init(_ pair: PacketBenchReport.Resolution) {
    self.init(
      pair: pair.pair.rawValue, what: pair.what, batch: pair.batch, difference: pair.difference,
      packet: pair.base)
  }
}
