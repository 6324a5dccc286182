import Foundation
import NetpolModel
import TestSupport
import Testing

/// A file of a real dump, from any folder under `Fixtures/golden`, of any version.
struct GoldenDump: Sendable, CustomTestStringConvertible {
  /// Its folder and name.
  let path: String
  let text: String
  var testDescription: String { path }
  var family: IPFamily { path.hasSuffix("ip6tables-save.txt") ? .v6 : .v4 }

  static let iptables = all(["iptables-save.txt", "ip6tables-save.txt"])
  static let ipset = all(["ipset-save.txt"])

  private static func all(_ names: [String]) -> [GoldenDump] {
    GoldenCase.all.flatMap { golden in
      names.compactMap { name in
        (try? golden.text(name)).map { .init(path: "\(golden.testDescription)/\(name)", text: $0) }
      }
    }
  }
}

/// `-A` lines in order, by chain.
func rulesByChain(_ lines: [String]) -> [String: [String]] {
  Dictionary(grouping: lines.filter { $0.hasPrefix("-A ") }) { $0.components(separatedBy: " ")[1] }
}
