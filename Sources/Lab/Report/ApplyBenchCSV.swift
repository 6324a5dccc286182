public import Bench
internal import Statistics
internal import Text

/// A report of `ApplyBench` for a spreadsheet: RFC 4180, a line for each value that was measured.
public struct ApplyBenchCSV {
  private let report: ApplyBenchReport

  public init(_ report: ApplyBenchReport) { self.report = report }

  public var text: String {
    let head = ["section", "rules", "what", "unit", "count", "min", "p50", "p99", "max", "p50 from", "p50 to"]
    let rows = ApplyBenchRow.all(report).map { row -> [String] in
      let interval = row.medianInterval
      let numbers = [
        row.values.values.first, row.values.median, row.values.quantile(0.99), row.values.largest, interval.lower,
        interval.upper,
      ]
      return [row.section, row.rules, row.what, row.unit, "\(row.values.count)"]
        + numbers.map { $0.map { decimals($0, 4) } ?? "" }
    }
    return csvText([head] + rows)
  }
}
