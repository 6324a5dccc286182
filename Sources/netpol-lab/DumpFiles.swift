import DumpDiff
import Dumps
import NetpolModel

/// The files of one node's dump, by path.
struct DumpFiles {
  var iptables: String?
  var ip6tables: String?
  var ipset: String?
  var nft: String?

  /// Reads the dump. Throws `InputFileError` if a file can't be read, `DumpError` if its text can't be understood.
  func rules() throws -> NodeRules {
    if let nft {
      let text = try InputFile.text(nft)
      return NodeRules(
        text.first { !$0.isWhitespace } == "{" ? try readNftJSON(text, file: nft) : try readNftList(text, file: nft))
    }
    var tables: [IptablesDump] = []
    for (path, family) in [(iptables, IPFamily.v4), (ip6tables, .v6)] {
      guard let path else { continue }
      tables.append(try readIptablesSave(try InputFile.text(path), family: family, file: path))
    }
    let sets = try ipset.map { try readIpsetSave(try InputFile.text($0), file: $0) }
    return NodeRules(tables, sets ?? IpsetDump())
  }
}
