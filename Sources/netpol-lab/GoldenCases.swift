import ArgumentParser
import Documents
import DumpDiff
import Foundation
import Lowering
import Manifests
import NetpolModel
import Report
import Text
import Yams

/// A directory of cases. Each has `manifests.yaml`, dumps of a node beside it and in sub-folders, and `names.json` with the
/// version stamp and the controller's flags.
struct GoldenCases {
  let root: String
  let style: EnforcementStyle?
  let output: ResultFormat
  let failOn: FailOn

  /// Prints one line per dump, or one document about all. Throws exit code 1 if one differs.
  func run() throws {
    let cases = try folders().flatMap(dumps)
    if cases.isEmpty { throw InputError("--golden \(root): no directory in it has manifests.yaml and a dump") }
    var results: [GoldenResult] = []
    for (number, golden) in cases.enumerated() {
      Terminal.progress("\(number + 1) of \(cases.count): \(golden.name)")
      let (style, comparison) = try compare(golden)
      let result = GoldenResult(dump: golden.name, style: style.name, comparison)
      results.append(result)
      if output != .text, output != .markdown { continue }
      Terminal.progress("")
      try output.print(result.document, of: "compare", about: [], failOn: failOn)
    }
    Terminal.progress("")
    let summary = GoldenSummary(results, version: version)
    let document = summary.document
    try output.print(document, of: "compare", about: [], failOn: failOn)
    try failOn.check(document, isAsExpected: !summary.hasDifferences)
  }

  private struct Golden {
    let name: String
    let manifests: String
    let folder: String
  }

  private struct Names: Decodable {
    var syncVersion: String?
    var flags: [String]?

    enum CodingKeys: String, CodingKey {
      case syncVersion = "sync_version"
      case flags
    }
  }

  private func folders() throws -> [String] {
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: root) else {
      throw InputError("--golden \(root): can't be listed; check the path and its permissions")
    }
    return [root] + entries.sorted().map { "\(root)/\($0)" }
  }

  private func dumps(_ folder: String) -> [Golden] {
    let files = FileManager.default
    let manifests = "\(folder)/manifests.yaml"
    guard files.fileExists(atPath: manifests) else { return [] }
    let below = ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
    return ([folder] + below).filter { place in
      ["iptables-save.txt", "ruleset.nft", "ruleset.json"].contains { files.fileExists(atPath: "\(place)/\($0)") }
    }.map { place in
      let name = place.hasPrefix(root + "/") ? String(place.dropFirst(root.count + 1)) : place
      return Golden(name: name, manifests: manifests, folder: place)
    }
  }

  private func compare(_ golden: Golden) throws -> (EnforcementStyle, DumpComparison) {
    let file = { (name: String) -> String? in
      let path = "\(golden.folder)/\(name)"
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
    let nft = file("ruleset.nft") ?? file("ruleset.json")
    let dump = try DumpFiles(
      iptables: nft == nil ? file("iptables-save.txt") : nil, ip6tables: nft == nil ? file("ip6tables-save.txt") : nil,
      ipset: nft == nil ? file("ipset-save.txt") : nil, nft: nft
    ).rules()
    let names = try names(file("names.json"))
    let style = try chosenStyle(style, for: dump)
    let cluster = try clusterAsStored([golden.manifests]).cluster
    let value = { (name: String) in
      names.flags?.first { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.count + 3)) }
    }
    var arguments = names.syncVersion.map { ["--version-stamp", $0] } ?? []
    for (flag, option) in Self.nodeOptions {
      if let value = value(flag) { arguments += [option, value] }
    }
    if value("netpol-default-deny") == "true" { arguments.append("--netpol-default-deny") }
    let options = try NodeOptions.parse(arguments)
    let node = try chosenNode(value("hostname-override") ?? "node1", cluster, dump)
    let comparison: DumpComparison
    do {
      let view = options.view(of: node, in: cluster, dumped: style.exemptRanges?(dump.tables))
      (comparison, _) = try compared(dump, with: style, on: view, namesHold: names.syncVersion != nil)
    } catch let error as InputError { throw InputError("\(golden.name): \(error)") }
    return (style, comparison)
  }

  /// Flags of the controllers, and this program's options with the same meaning.
  private static let nodeOptions = [
    ("service-cluster-ip-range", "--service-cidr"), ("service-node-port-range", "--node-port-range"),
    ("service-external-ip-range", "--service-external-ip-range"), ("loadbalancer-ip-range", "--loadbalancer-ip-range"),
  ]

  private func names(_ path: String?) throws -> Names {
    guard let path, let data = FileManager.default.contents(atPath: path) else { return Names() }
    do {
      let text = try JSONText(String(decoding: data, as: UTF8.self))
      return try YAMLDecoder(encoding: .utf8).decode(Names.self, from: text.yaml())
    } catch {
      throw InputError("\(path): is not a JSON object with sync_version and flags")
    }
  }
}
