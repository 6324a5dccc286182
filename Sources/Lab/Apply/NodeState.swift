internal import Dumps
package import Kernel
package import NetpolModel

extension StoredRules {
  /// Reads back what a node's kernel holds, with the programs that an administrator would use.
  ///
  /// Throws `CommandFailure` if one of them fails, and `DumpError` if its output can't be read.
  package init(
    reading namespace: NetworkNamespace, families: [IPFamily], worker: NamespaceWorker
  ) throws {
    let ask = { (command: [String]) in
      try Command(command).run(in: namespace, on: worker).requireSuccess().text
    }
    var dumps: [IptablesDump] = []
    for family in families {
      let program = "\(family.iptables)-save"
      dumps.append(try readIptablesSave(try ask([program]), family: family, file: program, required: { _ in true }))
    }
    let sets = try readIpsetSave(try ask(["ipset", "save"]), file: "ipset save")
    // iptables' own tables, which nft lists in a form that can't be parsed.
    let others: Set<Substring> = ["filter", "nat", "mangle", "raw", "security"]
    var listing = ""
    for line in try ask(["nft", "list", "tables"]).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, words[0] == "table", !others.contains(words[2]) else { continue }
      listing += try ask(["nft", "list"] + words.map(String.init))
    }
    self.init(dumps, sets, try readNftList(listing, file: "nft list table", required: { _ in true }))
  }
}
