public import Documents
public import DumpDiff
internal import Text

/// The result of comparing a dump of a known cluster.
public struct GoldenResult {
  /// The name of its folder.
  let dump: String
  let style: String
  let comparison: DumpComparison

  public init(dump: String, style: String, _ comparison: DumpComparison) {
    self.dump = dump
    self.style = style
    self.comparison = comparison
  }

  public var isEqual: Bool { comparison.differences.isEmpty }

  /// Printed while others are still being compared.
  public var document: Document {
    let what = isEqual ? "equal" : counted(comparison.differences.count, "difference")
    return Document(sections: [
      Section([
        .code("\(dump)  \(style)  \(comparison.counts)  \(what)"),
        .code(Code(comparison.differences.prefix(5).map(\.title), indent: 2)),
      ])
    ])
  }
}

/// The results of all dumps in a folder: `netpol-lab/compare-golden/v1`, documented in docs/compare-json.md.
public struct GoldenSummary {
  private let results: [GoldenResult]
  private let version: String

  public init(_ results: [GoldenResult], version: String) {
    self.results = results
    self.version = version
  }

  public var hasDifferences: Bool { results.contains { !$0.isEqual } }

  public var document: Document {
    let equal = results.count(where: \.isEqual)
    return Document(
      schema: "netpol-lab/compare-golden/v1",
      facts: [Fact("version", version), Fact("dumps", results.map(GoldenObject.init))],
      sections: [
        Section([
          .paragraph("\(counted(results.count, "dump")), \(equal) equal, \(results.count - equal) with differences")
        ])
      ], results: results.flatMap { $0.comparison.results(in: "\($0.dump), \($0.style)", meaning: nil) })
  }
}

private struct GoldenObject: Encodable {
  let dump, style: String
  let equal: Bool
  let differences: [DumpDifferenceObject]

  init(_ result: GoldenResult) {
    dump = result.dump
    style = result.style
    equal = result.isEqual
    differences = result.comparison.differences.map(DumpDifferenceObject.init)
  }
}
