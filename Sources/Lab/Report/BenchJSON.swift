public import Bench
public import Foundation
internal import NetpolModel
internal import RuleIR
internal import Statistics

/// Benches for programs: `netpol-lab/bench/v1`, as docs/bench-json.md has it. All costs are nanoseconds of a packet, as
/// value and 95 % interval.
public enum BenchJSON {
  public static func data(_ report: PacketBenchReport) throws -> Data {
    try oneLine(
      Document(
        kind: "packets", environment: EnvironmentObject(report.environment), machine: report.machine,
        rounds: report.rounds, clock: report.clock.rawValue, isRealTime: report.isRealTime, tooNoisy: report.noise,
        interrupted: report.interruption, reference: report.reference, rows: report.rows.map(PacketRow.init),
        winners: report.verdicts.map {
          Winner(what: "\($0.world.text): \($0.probe.name)", batch: $0.batch, $0.standing)
        }, growth: report.growths.map(GrowthObject.init), resolution: report.resolutions.map(ResolutionObject.init),
        seconds: report.duration / .seconds(1)))
  }

  public static func data(_ report: MicroBenchReport) throws -> Data {
    let pairs = [
      (PacketBenchReport.Resolution.Pair.sameNamespace, report.sameNamespace),
      (.otherNamespace, report.otherNamespace),
    ]
    return try oneLine(
      Document(
        kind: "micro", environment: EnvironmentObject(report.environment), machine: report.machine,
        rounds: report.rounds, clock: report.clock.rawValue, isRealTime: report.isRealTime, tooNoisy: report.noise,
        interrupted: report.interruption,
        rows: report.rows.map { MicroRow(rule: $0.name, backend: $0.backend, each: Interval($0.cost)) },
        resolution: pairs.map {
          ResolutionObject(
            pair: $0.0.rawValue, what: "the bare chain", batch: 0, difference: Interval($0.1),
            packet: report.packet.value)
        }, seconds: report.duration / .seconds(1)))
  }

  public static func data(_ report: PolicyBenchReport) throws -> Data {
    try oneLine(
      Document(
        kind: "policies", environment: EnvironmentObject(report.environment), machine: report.machine,
        rounds: report.rounds, clock: report.clock.rawValue, isRealTime: report.isRealTime, tooNoisy: report.noise,
        interrupted: report.interruption, origin: OriginObject(report.origin),
        sent: report.sent.map {
          SentFlow(flow: $0.flow, family: $0.family.rawValue, way: $0.way.rawValue, isAllowed: $0.isAllowed)
        }, rows: report.rows.map(FlowRow.init),
        winners: report.verdicts.map { Winner(what: "\($0.flows), \($0.phase.name)", batch: 0, $0.standing) },
        resolution: report.resolutions.map(ResolutionObject.init), seconds: report.duration / .seconds(1)))
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
  let interrupted: String?
  var reference: String?
  var origin: OriginObject?
  var sent: [SentFlow]?
  let rows: [Row]
  var winners: [Winner]?
  var growth: [GrowthObject]?
  let resolution: [ResolutionObject]
  let seconds: Double
}

private struct Interval: Encodable {
  let value, lower, upper: Double
  init(_ estimate: Estimate) { (value, lower, upper) = (estimate.value, estimate.lower, estimate.upper) }
}

private struct PacketRow: Encodable {
  let batch, pods, policies, peers: Int
  let peerKind, family, probe, phase, way, rules: String
  let packet, overNothing, overConntrack: Interval
  let timesReference: Interval?
  init(_ row: PacketBenchReport.Row) {
    (batch, pods, policies, peers) = (row.batch, row.world.pods, row.world.policies, row.world.peers)
    (peerKind, family) = (row.world.peerKind.rawValue, row.world.family.rawValue)
    (probe, phase) = (row.probe.name, row.probe.phase.rawValue)
    (way, rules) = (row.probe.way.rawValue, row.rules)
    (packet, overNothing) = (Interval(row.packet), Interval(row.overNothing))
    (overConntrack, timesReference) = (Interval(row.overConntrack), row.timesReference.map(Interval.init))
  }
}

private struct MicroRow: Encodable {
  let rule, backend: String
  let each: Interval
}

private struct OriginObject: Encodable {
  let node: String
  let pods, policies, flows, leftOut: Int
  init(_ origin: PolicyBenchReport.Origin) {
    (node, pods, policies) = (origin.node, origin.pods, origin.policies)
    (flows, leftOut) = (origin.flows, origin.unequal)
  }
}

private struct SentFlow: Encodable {
  let flow, family, way: String
  let isAllowed: Bool
}

private struct FlowRow: Encodable {
  let flows, family, phase, rules: String
  let isAllowed: Bool
  let packet, overNothing: Interval
  init(_ row: PolicyBenchReport.Row) {
    (flows, family, phase) = (row.flows, row.family.rawValue, row.phase.rawValue)
    (rules, isAllowed) = (row.rules, row.isAllowed)
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
  let rules, probe, peerKind, family: String
  let peers, fromPods, toPods: Int
  let times: Interval
  init(_ growth: PacketBenchReport.Growth) {
    (rules, probe, times) = (growth.rules, growth.probe.name, Interval(growth.times))
    (peers, peerKind) = (growth.from.peers, growth.from.peerKind.rawValue)
    (family, fromPods, toPods) = (growth.from.family.rawValue, growth.from.pods, growth.to.pods)
  }
}

private struct ResolutionObject: Encodable {
  let pair, what: String
  let batch: Int
  let difference: Interval
  let packet: Double
  init(pair: String, what: String, batch: Int, difference: Interval, packet: Double) {
    (self.pair, self.what, self.batch, self.difference, self.packet) = (pair, what, batch, difference, packet)
  }
  init(_ pair: PacketBenchReport.Resolution) {
    self.init(
      pair: pair.pair.rawValue, what: pair.what, batch: pair.batch, difference: Interval(pair.difference),
      packet: pair.base)
  }
}
