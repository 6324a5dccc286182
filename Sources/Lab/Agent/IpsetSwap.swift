internal import NetpolModel
internal import RuleIR

/// The sets that `ipset save` listed, with the options that they were created with.
struct SavedSets {
  /// By name, without the hash's `initval`, because sets with the same options are filled through one temporary set.
  private(set) var options: [SetName: String] = [:]

  init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: "create ".utf8) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
      guard words.count > 2 else { continue }
      var options = Array(words[2...])
      if let seed = options.firstIndex(of: "initval") { options.removeSubrange(seed..<min(seed + 2, options.count)) }
      self.options[words[1]] = options.joined(separator: " ")
    }
  }

  /// The sets of a family's policies, found by their prefix.
  func policySets(_ family: IPFamily) -> [SetName] {
    let prefixes = ["KUBE-SRC-", "KUBE-DST-"].map { family == .v6 ? "inet6:" + $0 : $0 }
    return options.keys.filter { name in prefixes.contains { name.hasPrefix($0) } }.sorted()
  }
}

/// The input for `ipset restore -exist` that gives one family's sets their members, each set at once (`ipset(8)`,
/// swap).
///
/// In the order of names, as kube-router writes it: a temporary set is filled, swapped with the real one and emptied.
/// An existing set keeps its options. Members that are listed twice are added twice.
func ipsetSwapText(_ sets: [NamedSet], over saved: SavedSets) -> [UInt8] {
  var text: [UInt8] = []
  var temporary: [String: SetName] = [:]
  for set in sets.sorted(by: { $0.name < $1.name }) {
    let options =
      saved.options[set.name] ?? "\(set.kind.rawValue) timeout 0\(set.family == .v6 ? " family inet6" : "")"
    var scratch = temporary[options]
    if scratch == nil {
      let name = "TMP-" + sha1Name("tmp:" + options)
      text += "create \(name) \(options)\nflush \(name)\n".utf8
      temporary[options] = name
      scratch = name
    }
    guard let scratch else { continue }
    for member in set.members {
      let element = member.cidr.isHost ? "\(member.cidr.network)" : "\(member.cidr)"
      text += "add \(scratch) \(element) timeout 0\(member.nomatch ? " nomatch" : "")\n".utf8
    }
    text += "create \(set.name) \(options)\nswap \(scratch) \(set.name)\nflush \(scratch)\n".utf8
  }
  for name in temporary.values.sorted() { text += "destroy \(name)\n".utf8 }
  return text
}
