import DumpDiff
import Dumps
import Foundation
import NetpolModel

/// The files of one node's dump.
struct DumpFiles {
  var iptables: String?
  var ip6tables: String?
  var ipset: String?
  var nft: String?

  /// Throws `InputError` where files are missing or don't go together, `DumpError` where one can't be read.
  func rules() throws -> NodeRules {
    if let nft {
      guard iptables == nil, ip6tables == nil, ipset == nil else {
        throw InputError("--nft \(nft): goes without --iptables-save, --ip6tables-save and --ipset-save")
      }
      let text = try contents(nft)
      return NodeRules(
        text.first { !$0.isWhitespace } == "{" ? try readNftJSON(text, file: nft) : try readNftList(text, file: nft))
    }
    var tables: [IptablesDump] = []
    for (path, family) in [(iptables, IPFamily.v4), (ip6tables, .v6)] {
      guard let path else { continue }
      tables.append(try readIptablesSave(try contents(path), family: family, file: path))
    }
    guard !tables.isEmpty, let ipset else {
      throw InputError("give --iptables-save and --ipset-save (--ip6tables-save for IPv6), or --nft")
    }
    return NodeRules(tables, try readIpsetSave(try contents(ipset), file: ipset))
  }

  private func contents(_ path: String) throws -> String {
    // Also from a pipe, as <(ssh node iptables-save).
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() ?? Data() else {
      throw InputError("\(path): can't be read; check the path and its permissions")
    }
    guard let text = String(bytes: data, encoding: .utf8) else { throw InputError("\(path): is not UTF-8 text") }
    return text
  }
}
