import DumpDiff
import Dumps
import Foundation
import NetpolModel

/// The files of one node's dump, by path.
struct DumpFiles {
  var iptables: String?
  var ip6tables: String?
  var ipset: String?
  var nft: String?

  /// Reads the dump. Throws `InputError` if a file can't be opened, `DumpError` if its text can't be understood.
  func rules() throws -> NodeRules {
    if let nft {
      let text = try contents(nft)
      return NodeRules(
        text.first { !$0.isWhitespace } == "{" ? try readNftJSON(text, file: nft) : try readNftList(text, file: nft))
    }
    var tables: [IptablesDump] = []
    for (path, family) in [(iptables, IPFamily.v4), (ip6tables, .v6)] {
      guard let path else { continue }
      tables.append(try readIptablesSave(try contents(path), family: family, file: path))
    }
    let sets = try ipset.map { try readIpsetSave(try contents($0), file: $0) }
    return NodeRules(tables, sets ?? IpsetDump())
  }

  private func contents(_ path: String) throws -> String {
    // Pipes work too, such as <(ssh node iptables-save).
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() ?? Data() else {
      throw InputError("\(path): can't be read; check the path and its permissions")
    }
    guard let text = String(bytes: data, encoding: .utf8) else { throw InputError("\(path): is not UTF-8 text") }
    return text
  }
}
