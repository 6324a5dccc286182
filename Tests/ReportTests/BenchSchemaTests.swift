// Not covered: whether figures are right. The reports are made by hand.
import Bench
import Documents
import Foundation
import Kernel
import Lag
import Lowering
import NetpolModel
import Report
import TestSupport
import Testing

@Suite("Bench: JSON and CSV are as in docs/bench-json.md")
struct BenchSchemaTests {
  /// By the line above a table, without its colon: the fields and their types, or the CSV columns and their meaning.
  private static func tables() throws -> [String: [String: String]] {
    let text = try String(contentsOf: repository.appendingPathComponent("docs/bench-json.md"), encoding: .utf8)
    var tables: [String: [String: String]] = [:]
    var heading = ""
    for line in text.split(separator: "\n") {
      if line.hasSuffix(":") { heading = line.dropLast().replacingOccurrences(of: "`", with: "") }
      guard line.hasPrefix("| `") else { continue }
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      for name in cells[0].split(separator: ",") {
        tables[heading, default: [:]][name.trimmingCharacters(in: CharacterSet(charactersIn: " `"))] = cells[1]
      }
    }
    return tables
  }

  private let tables: [String: [String: String]]
  private let packets: [String: String]

  init() throws {
    tables = try Self.tables()
    packets = try #require(tables["The document of packets"])
  }

  private func fields(_ heading: String) throws -> [String: String] {
    try #require(tables[heading], "docs/bench-json.md has no table \(heading)")
  }

  private func object(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func isOfType(_ value: Any, _ type: String) throws -> Bool {
    switch type.replacingOccurrences(of: " or absent", with: "") {
    case "string": value is String
    case "number": value is NSNumber
    case "boolean": value is Bool
    case "array of strings": value is [String]
    case "array of objects": value is [[String: Any]]
    case "array": value is [Any]
    case "object": value is [String: Any]
    case "interval": Set((value as? [String: Any] ?? [:]).keys) == Set(try fields("An interval").keys)
    default: false
    }
  }

  /// Each object has all fields that are always there and no undocumented ones. Together the objects have all fields.
  private func check(_ objects: [[String: Any]], _ fields: [String: String], _ name: String) throws {
    let always = Set(fields.filter { !$0.value.hasSuffix(" or absent") }.keys)
    for object in objects {
      #expect(always.isSubset(of: object.keys), "\(name): \(object)")
      for (key, value) in object {
        let type = try #require(fields[key], "\(name): \(key) is not documented")
        #expect(try isOfType(value, type), "\(name): \(key) is no \(type)")
      }
    }
    #expect(Set(objects.flatMap(\.keys)) == Set(fields.keys), "\(name)")
  }

  private func list(_ objects: [[String: Any]], _ key: String) -> [[String: Any]] {
    objects.flatMap { $0[key] as? [[String: Any]] ?? [] }
  }

  @Test("the fields of a sweep are documented") func sweep() throws {
    var noisy = try HandMadeBench.packets(one: 300, two: 300, noise: 20, pair: 50)
    noisy.measuredRounds = [20]
    let objects = try [HandMadeBench.packets(one: 900, two: 300), noisy].map { try object(try $0.document.json()) }
    #expect(objects.allSatisfy { $0["schema"] as? String == "netpol-lab/bench/v1" })
    try check(objects, packets, "packets")
    try check(list(objects, "rows"), try fields("A row of packets"), "a row")
    try check(list(objects, "winners"), try fields("A winner of packets"), "a winner")
    try check(list(objects, "growth"), try fields("A growth of packets"), "a growth")
    try check(list(objects, "resolution"), try fields("A resolution of packets"), "a resolution")
  }

  @Test("the fields for a user's own flows and for single rules are documented") func others() throws {
    let policies = try object(try (try HandMadeBench.policies()).document.json())
    let own = try fields("The document of policies")
    let shared = packets.filter { !["reference", "growth"].contains($0.key) }
    try check([policies], shared.merging(own) { first, _ in first }, "policies")
    try check([try #require(policies["origin"] as? [String: Any])], try fields("Its origin"), "origin")
    try check(list([policies], "sent"), try fields("A flow of sent"), "a flow")
    try check(list([policies], "rows"), try fields("A row of policies"), "a row")
    try check(list([policies], "winners"), try fields("A winner of packets"), "a winner")
    try check(list([policies], "resolution"), try fields("A resolution of packets"), "a resolution")
    let micro = try object(try (try HandMadeBench.micro()).document.json())
    try check([micro], shared.filter { $0.key != "winners" }, "micro")
    try check(list([micro], "rows"), try fields("A row of micro"), "a row")
    try check(list([micro], "resolution"), try fields("A resolution of packets"), "a resolution")
  }

  @Test("the fields for applying rules are documented") func applying() throws {
    let report = try object(try (try HandMadeBench.apply()).document.json())
    try check([report], try fields("The document of netpol-lab/bench-apply/v1"), "apply")
    try check(list([report], "objects"), try fields("An entry of objects"), "objects")
    try check(list([report], "rows"), try fields("A row of netpol-lab/bench-apply/v1"), "a row")
  }

  @Test("the fields for kube-proxy's modes are documented") func services() throws {
    let reports = [HandMadeBench.services(), HandMadeBench.services(pair: 50, hasSyncs: false)]
    let objects = try reports.map { try object(try $0.document.json()) }
    let shared = packets.filter { $0.key != "reference" }
    try check(objects, shared.merging(try fields("The document of services")) { first, _ in first }, "services")
    try check(list(objects, "rows"), try fields("A row of services"), "a row")
    // No report by hand has modes that can't be distinguished.
    let winners = try fields("A winner of packets")
    #expect(list(objects, "winners").allSatisfy { Set($0.keys).isSubset(of: winners.keys) })
    try check(list(objects, "growth"), try fields("A growth of services"), "a growth")
    try check(list(objects, "resolution"), try fields("A resolution of packets"), "a resolution")
    let syncs = list(objects, "syncs")
    try check(syncs, try fields("A sync of services"), "a sync")
    let times = syncs.flatMap { sync in ["full", "change"].compactMap { sync[$0] as? [String: Any] } }
    try check(times, try fields("A time of services"), "a time")
  }

  @Test("the fields for the engines are documented") func engines() throws {
    let bench = EngineBench(styles: [.compiled], flows: .some(50), sample: 10, seed: 1)
    let report = try bench.run(LagWorld(policies: 7, pods: 6, local: 3).cluster, version: "test") { _ in }
    let engines = try object(try report.document.json())
    try check([engines], try fields("The document of engines"), "engines")
    try check(list([engines], "rows"), try fields("A row of engines"), "a row")
    try checkColumns(report.document.csv, "engines")
  }

  @Test("each CSV column has its own name and is documented") func columns() throws {
    try checkColumns((try HandMadeBench.packets(one: 900, two: 300)).document.csv, "packets")
    try checkColumns((try HandMadeBench.policies()).document.csv, "policies")
    try checkColumns((try HandMadeBench.micro()).document.csv, "micro")
    try checkColumns(HandMadeBench.services().document.csv, "services")
    try checkColumns((try HandMadeBench.apply()).document.csv, "netpol-lab/bench-apply/v1")
  }

  private func checkColumns(_ csv: String, _ kind: String) throws {
    let heading = try #require(csv.split(separator: "\n").first).split(separator: ",").map(String.init)
    #expect(Set(heading).count == heading.count, "\(kind): \(heading)")
    #expect(Set(heading) == Set(try fields("Columns of \(kind)").keys), "\(kind)")
  }
}
