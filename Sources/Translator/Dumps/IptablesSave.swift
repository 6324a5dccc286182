public import NetpolModel
internal import OrderedCollections
public import RuleIR

/// What `iptables-save` or `ip6tables-save` printed.
public struct IptablesDump: Hashable, Sendable {
  /// Every table of the file. Chains and rules are in the order of the text.
  public var tables: [Table]
  /// Rules of foreign chains that RuleIR can't express. They are missing from `tables`.
  public var foreign: [ForeignRule]

  public init(tables: [Table] = [], foreign: [ForeignRule] = []) {
    self.tables = tables
    self.foreign = foreign
  }
}

/// A rule of another program, as text.
public struct ForeignRule: Hashable, Sendable {
  public let table: String
  public let family: IPFamily
  public let chain: ChainName
  /// The number of rules before it in the chain that were read.
  public let position: Int
  /// From 1.
  public let line: Int
  public let text: String
  /// Why it was not read.
  public let problem: String
}

/// Whether the chain belongs to kube-router's policy controller. In such chains every rule must be read.
public func isKubeRouterChain(_ name: ChainName) -> Bool {
  ["KUBE-ROUTER-", "KUBE-NWPLCY-", "KUBE-POD-FW-"].contains { name.hasPrefix($0) }
}

/// Reads what `iptables-save` printed (`ip6tables-save` with `family` v6), with or without counters.
///
/// It is the exact inverse of `iptablesRestoreText`. A rule that RuleIR can't express is an error in a chain that is
/// `required`. In any other chain it goes to `foreign`. Everything except a rule is always an error: a chain that is
/// not declared, a table without COMMIT.
public func readIptablesSave(
  _ text: String, family: IPFamily, file: String, required: (ChainName) -> Bool = isKubeRouterChain
) throws(DumpError) -> IptablesDump {
  var reading = IptablesReading(family: family)
  for line in dumpLines(text) {
    do throws(Problem) {
      try reading.read(line.text, number: line.number, required: required)
    } catch {
      throw DumpError(file: file, line: line.number, text: String(line.text), problem: error.text)
    }
  }
  if let open = reading.open {
    throw DumpError(file: file, line: open.line, text: "*\(open.table)", problem: "this table has no COMMIT")
  }
  return reading.dump
}

private struct IptablesReading {
  struct OpenTable {
    let table: String
    let family: IPFamily
    let line: Int
    var chains: OrderedDictionary<ChainName, Chain> = [:]
    var userChains: Set<ChainName> = []
  }

  let family: IPFamily
  var dump = IptablesDump()
  var open: OpenTable?

  init(family: IPFamily) { self.family = family }

  mutating func read(_ line: Substring, number: Int, required: (ChainName) -> Bool) throws(Problem) {
    switch line.utf8.first {
    case UInt8(ascii: "*"):
      guard open == nil else { throw Problem("the table before this has no COMMIT") }
      let name = String(Substring(line.utf8.dropFirst()))
      guard builtInChains[name] != nil else { throw Problem("there is no table \(name)") }
      if dump.tables.contains(where: { $0.name == name }) { throw Problem("table \(name) appears twice") }
      open = OpenTable(table: name, family: family, line: number)
    case UInt8(ascii: ":"):
      guard var table = open else { throw Problem("a chain outside of a table") }
      open = nil
      try table.declare(Substring(line.utf8.dropFirst()))
      open = table
    case UInt8(ascii: "-"), UInt8(ascii: "["):
      guard var table = open else { throw Problem("a rule outside of a table") }
      // This avoids a copy: the table has only one owner while a rule is added.
      open = nil
      if let foreign = try table.append(line, number: number, required: required) { dump.foreign.append(foreign) }
      open = table
    default:
      guard line == "COMMIT" else { throw Problem("not a line of iptables-save") }
      guard let open else { throw Problem("COMMIT outside of a table") }
      dump.tables.append(Table(name: open.table, family: open.family, chains: Array(open.chains.values)))
      self.open = nil
    }
  }
}

/// Names that have another meaning after `-j`.
private let targetNames: Set<String> = ["ACCEPT", "DROP", "RETURN", "QUEUE", "REJECT", "MARK", "NFLOG"]

/// The built-in chains of each table.
private let builtInChains: [String: [ChainName: Hook]] = [
  "raw": ["PREROUTING": .prerouting, "OUTPUT": .output],
  "mangle": [
    "PREROUTING": .prerouting, "INPUT": .input, "FORWARD": .forward, "OUTPUT": .output, "POSTROUTING": .postrouting,
  ],
  "nat": ["PREROUTING": .prerouting, "INPUT": .input, "OUTPUT": .output, "POSTROUTING": .postrouting],
  "filter": ["INPUT": .input, "FORWARD": .forward, "OUTPUT": .output],
  "security": ["INPUT": .input, "FORWARD": .forward, "OUTPUT": .output],
]

/// `enum nf_ip_hook_priorities`.
private func priority(_ table: String, _ hook: Hook) -> Int {
  switch table {
  case "raw": -300
  case "mangle": -150
  case "nat": hook == .prerouting || hook == .output ? -100 : 100
  case "security": 50
  default: 0
  }
}

extension IptablesReading.OpenTable {
  /// `NAME ACCEPT|DROP|- [packets:bytes]`
  mutating func declare(_ line: Substring) throws(Problem) {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, isCounters(words[2]), !words[0].isEmpty else {
      throw Problem("not the declaration of a chain")
    }
    let name = String(words[0])
    guard chains[name] == nil else { throw Problem("chain \(name) is declared twice") }
    if targetNames.contains(name) { throw Problem("a chain can't have the name of a target") }
    let hook = builtInChains[table]?[name]
    var base: Chain.Base?
    if words[1] == "-" {
      if hook != nil { throw Problem("the built-in chain \(name) has no policy") }
      userChains.insert(name)
    } else {
      let policies: [Substring: Chain.Base.Policy] = ["ACCEPT": .accept, "DROP": .drop]
      guard let policy = policies[words[1]] else { throw Problem("\(words[1]) is not a policy") }
      guard let hook else { throw Problem("table \(table) has no built-in chain \(name)") }
      base = Chain.Base(
        hook, kind: table == "nat" ? .nat : .filter, priority: priority(table, hook), policy: policy)
    }
    chains[name] = Chain(name: name, base: base)
  }

  /// Reads `[packets:bytes]` or nothing, then `-A CHAIN` and a rule.
  mutating func append(
    _ line: Substring, number: Int, required: (ChainName) -> Bool
  ) throws(Problem) -> ForeignRule? {
    var rest = line
    if rest.utf8.first == UInt8(ascii: "[") {
      let counters = rest.prefix { $0 != " " }
      guard isCounters(counters) else { throw Problem("not the counters of a rule") }
      rest = rest.dropFirst(counters.count + 1)
    }
    guard rest.hasPrefix("-A ") else { throw Problem("not a line of iptables-save") }
    rest = rest.dropFirst(3)
    let name = String(rest.prefix { $0 != " " })
    guard let index = chains.index(forKey: name) else { throw Problem("chain \(name) is not declared") }
    do throws(Problem) {
      let words = try Words(rest.dropFirst(name.count), escapes: true)
      var reading = IptablesRuleReader(words, family: family, userChains: userChains)
      chains.values[index].rules.append(try reading.read())
      return nil
    } catch {
      if required(name) { throw error }
      return ForeignRule(
        table: table, family: family, chain: name, position: chains.values[index].rules.count, line: number,
        text: String(line),
        problem: error.text)
    }
  }
}

private func isCounters(_ word: Substring) -> Bool {
  guard word.hasPrefix("["), word.hasSuffix("]") else { return false }
  let numbers = word.dropFirst().dropLast().split(separator: ":", omittingEmptySubsequences: false)
  return numbers.count == 2 && numbers.allSatisfy { decimal($0, as: UInt64.self) != nil }
}
