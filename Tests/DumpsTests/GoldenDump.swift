import Foundation
import NetpolModel
import Testing

/// A file of real dumps: of any folder under `Fixtures/golden`, whatever version made it.
struct GoldenDump: Sendable, CustomTestStringConvertible {
  /// Its path below `golden`.
  let path: String
  let text: String
  var testDescription: String { path }
  var family: IPFamily { path.hasSuffix("ip6tables-save.txt") ? .v6 : .v4 }

  static let iptables = all(["iptables-save.txt", "ip6tables-save.txt"])
  static let ipset = all(["ipset-save.txt"])

  private static func all(_ names: Set<String>) -> [GoldenDump] {
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/golden").standardizedFileURL
    let files = FileManager.default.enumerator(atPath: golden.path)?.compactMap { $0 as? String } ?? []
    return files.filter { names.contains(($0 as NSString).lastPathComponent) }.sorted().compactMap { path in
      (try? String(contentsOf: golden.appendingPathComponent(path), encoding: .utf8)).map {
        .init(path: path, text: $0)
      }
    }
  }
}

/// `-A` lines in their order, by chain.
func rulesByChain(_ lines: [String]) -> [String: [String]] {
  Dictionary(grouping: lines.filter { $0.hasPrefix("-A ") }) { $0.components(separatedBy: " ")[1] }
}
