public import Bench
public import Foundation
internal import Statistics

/// A report of `ApplyBench` for a program: `netpol-lab/bench-apply/v1`.
public struct ApplyBenchJSON {
  private let report: ApplyBenchReport

  public init(_ report: ApplyBenchReport) { self.report = report }

  /// UTF-8, one line.
  public func data() throws -> Data { try oneLine(Document(report)) }

  private struct Document: Encodable {
    let schema = "netpol-lab/bench-apply/v1"
    let environment: EnvironmentObject
    let policies, pods, rounds: Int
    let realTime: Bool
    let objects: [ObjectsObject]
    let rows: [RowObject]
    let seconds: Double

    init(_ report: ApplyBenchReport) {
      environment = EnvironmentObject(report.environment)
      (policies, pods, rounds) = (report.options.policies, report.options.pods, report.options.rounds)
      realTime = report.isRealTime
      objects = report.applies.filter { $0.ratio == nil }.map(ObjectsObject.init)
      rows = ApplyBenchRow.all(report).map(RowObject.init)
      seconds = report.duration / .seconds(1)
    }
  }
}

/// What a style's rules are made of.
private struct ObjectsObject: Encodable {
  let style: String
  let rules, chains, sets, elements: Int
  init(_ apply: ApplyBenchReport.Apply) {
    style = apply.style
    (rules, chains) = (apply.objects.rules, apply.objects.chains)
    (sets, elements) = (apply.objects.sets, apply.objects.elements)
  }
}

private struct RowObject: Encodable {
  let section, rules, what, unit: String
  let count: Int
  let min, p50, p99, max: Double?
  /// 95 % confidence; null where the sample is too small.
  let p50Interval: [Double?]
  init(_ row: ApplyBenchRow) {
    (section, rules, what, unit, count) = (row.section, row.rules, row.what, row.unit, row.values.count)
    (min, p50) = (row.values.values.first, row.values.median)
    (p99, max) = (row.values.quantile(0.99), row.values.largest)
    let interval = row.medianInterval
    p50Interval = [interval.lower, interval.upper]
  }
}
