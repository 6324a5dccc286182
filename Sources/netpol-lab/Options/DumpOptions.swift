import ArgumentParser
import DumpDiff

/// The files that hold a node's rules and sets.
struct DumpOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A node's output of iptables-save.", valueName: "file"))
  var iptablesSave: String?

  @Option(help: ArgumentHelp("A node's output of ip6tables-save.", valueName: "file"))
  var ip6tablesSave: String?

  @Option(help: ArgumentHelp("A node's output of ipset save.", valueName: "file"))
  var ipsetSave: String?

  @Option(help: ArgumentHelp("A node's output of nft list ruleset, as text or with -j.", valueName: "file"))
  var nft: String?

  /// Whether a file with rules is given.
  var isGiven: Bool { iptablesSave != nil || ip6tablesSave != nil || nft != nil }
  /// Whether the files of iptables are named that belong together, and no others.
  var isComplete: Bool {
    if nft != nil { return iptablesSave == nil && ip6tablesSave == nil && ipsetSave == nil }
    return (iptablesSave != nil || ip6tablesSave != nil) && ipsetSave != nil
  }

  /// Reads the dump. Throws `InputFileError` if a file can't be read, `DumpError` if its text can't be understood.
  func rules() throws -> NodeRules {
    try DumpFiles(iptables: iptablesSave, ip6tables: ip6tablesSave, ipset: ipsetSave, nft: nft).rules()
  }
}
