import Dumps
import Foundation
import NetpolModel
import RuleIR
import TestSupport
import Testing

/// A listing of nft from `Fixtures`.
struct NftFixture: Sendable, CustomTestStringConvertible {
  /// Its path below `Fixtures`.
  let path: String
  let text: String
  var testDescription: String { path }

  private static let folder = repository.appendingPathComponent("Tests/Fixtures")

  init?(_ path: String) {
    guard let text = try? String(contentsOf: Self.folder.appendingPathComponent(path), encoding: .utf8) else {
      return nil
    }
    self.path = path
    self.text = text
  }

  /// What the controller's nftables back end wrote on real nodes.
  static let golden = files("golden") { $0.hasSuffix("/ruleset.nft") }
  /// JSON listings of some of them, by the name of the case.
  static let json = files("nft-json") { $0.hasSuffix(".json") && !$0.hasPrefix("mixed.") }
  static let mixed = files("nft-json") { $0.hasPrefix("mixed.") }

  private static func files(_ folder: String, _ include: (String) -> Bool) -> [NftFixture] {
    let paths = FileManager.default.enumerator(atPath: Self.folder.appendingPathComponent(folder).path)?
      .compactMap { $0 as? String }
    return (paths ?? []).filter(include).sorted().compactMap { NftFixture("\(folder)/\($0)") }
  }

  /// The listing as a file, for nft to load.
  var file: String { Self.folder.appendingPathComponent(path).path }

  func read() throws -> NftDump {
    path.hasSuffix(".json") ? try readNftJSON(text, file: path) : try readNftList(text, file: path)
  }
}

extension NftDump {
  /// What the JSON of nft 1.0.6 contains of it.
  var withoutObjectComments: NftDump {
    var dump = self
    for table in dump.tables.indices {
      dump.tables[table].comment = nil
      for chain in dump.tables[table].chains.indices { dump.tables[table].chains[chain].comment = nil }
    }
    // Lines, texts and words differ between text and JSON.
    dump.foreign = []
    return dump
  }

  /// Kube-router's part, as the values of one node.
  var kubeRouter: Ruleset {
    let tables = tables.filter { isKubeRouterTable($0.name) }
    return Ruleset(
      backend: .nftables, tables: tables, sets: sets.filter { set in tables.contains { $0.family == set.family } })
  }
}

extension ForeignObject {
  /// What text and JSON have in common.
  var identity: String { "\(kind) \(family) \(table) \(chain ?? "") \(object ?? "") \(position) \(rules)" }
}
