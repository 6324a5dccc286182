public import Foundation

/// Benches for programs: `netpol-lab/bench/v1`. All costs are nanoseconds of a packet, as value and 95 % interval.
public enum BenchJSON {
  public static func data(_ report: PacketBenchReport) throws -> Data {
    try oneLine(
      Document(
        kind: "packets", environment: EnvironmentObject(report.environment), machine: report.machine,
        rounds: report.rounds, clock: report.clock.rawValue, isRealTime: report.isRealTime, tooNoisy: report.noise,
        rows: report.rows.map(PacketRow.init),
        winners: report.verdicts.map {
          Winner(what: "\($0.world.text): \($0.probe.name)", batch: $0.batch, $0.standing)
        },
        growth: report.growths.map {
          GrowthObject(
            rules: $0.rules, probe: $0.probe.name, fromPods: $0.from.pods, toPods: $0.to.pods, times: Interval($0.times)
          )
        }, resolution: report.resolutions.map(ResolutionObject.init), seconds: report.duration / .seconds(1)))
  }

  public static func data(_ report: MicroBenchReport) throws -> Data {
    let pairs = [("the same namespace", report.sameNamespace), ("another namespace", report.otherNamespace)]
    return try oneLine(
      Document(
        kind: "micro", environment: EnvironmentObject(report.environment), machine: report.machine,
        rounds: report.rounds, clock: report.clock.rawValue, isRealTime: report.isRealTime, tooNoisy: nil,
        rows: report.rows.map { MicroRow(rule: $0.name, backend: $0.backend, each: Interval($0.cost)) }, winners: [],
        growth: [],
        resolution: pairs.map {
          ResolutionObject(pair: $0.0, probe: "bare chain", difference: Interval($0.1), packet: report.packet.value)
        }, seconds: report.duration / .seconds(1)))
  }

  public static func data(_ report: PolicyBenchReport) throws -> Data {
    try oneLine(
      Document(
        kind: "policies", environment: EnvironmentObject(report.environment), machine: report.machine,
        rounds: report.rounds, clock: report.clock.rawValue, isRealTime: report.isRealTime, tooNoisy: report.noise,
        rows: report.rows.map(FlowRow.init),
        winners: report.verdicts.map { Winner(what: "\($0.flows), \($0.phase.rawValue)", batch: 0, $0.standing) },
        growth: [], resolution: report.resolutions.map(ResolutionObject.init), seconds: report.duration / .seconds(1)))
  }
}

private struct Document<Row: Encodable>: Encodable {
  let schema = "netpol-lab/bench/v1"
  let kind: String
  let environment: EnvironmentObject
  let machine: String
  let rounds: Int
  let clock: String
  let isRealTime: Bool
  let tooNoisy: String?
  let rows: [Row]
  let winners: [Winner]
  let growth: [GrowthObject]
  let resolution: [ResolutionObject]
  let seconds: Double
}

private struct Interval: Encodable {
  let value, lower, upper: Double
  init(_ estimate: Estimate) { (value, lower, upper) = (estimate.value, estimate.lower, estimate.upper) }
}

private struct PacketRow: Encodable {
  let batch, pods, policies, peers: Int
  let peerKind, probe, phase, way, rules: String
  let packet, overNothing, overConntrack: Interval
  let timesReference: Interval?
  init(_ row: PacketBenchReport.Row) {
    (batch, pods, policies, peers) = (row.batch, row.world.pods, row.world.policies, row.world.peers)
    (peerKind, probe, phase) = (row.world.peerKind.rawValue, row.probe.name, row.probe.phase.rawValue)
    (way, rules) = (row.probe.way.rawValue, row.rules)
    (packet, overNothing) = (Interval(row.packet), Interval(row.overNothing))
    (overConntrack, timesReference) = (Interval(row.overConntrack), row.timesReference.map(Interval.init))
  }
}

private struct MicroRow: Encodable {
  let rule, backend: String
  let each: Interval
}

private struct FlowRow: Encodable {
  let flows, phase, rules: String
  let isAllowed: Bool
  let packet, overNothing: Interval
  init(_ row: PolicyBenchReport.Row) {
    (flows, phase, rules, isAllowed) = (row.flows, row.phase.rawValue, row.rules, row.isAllowed)
    (packet, overNothing) = (Interval(row.packet), Interval(row.overNothing))
  }
}

private struct Winner: Encodable {
  let what: String
  let batch: Int
  /// Nil: those that can't be told apart are in `between`.
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

private struct GrowthObject: Encodable {
  let rules, probe: String
  let fromPods, toPods: Int
  let times: Interval
}

private struct ResolutionObject: Encodable {
  let pair, probe: String
  let difference: Interval
  let packet: Double
  init(pair: String, probe: String, difference: Interval, packet: Double) {
    (self.pair, self.probe, self.difference, self.packet) = (pair, probe, difference, packet)
  }
  init(_ pair: PacketBenchReport.Resolution) {
    self.init(
      pair: pair.pair.rawValue, probe: pair.probe.name, difference: Interval(pair.difference), packet: pair.base)
  }
}
