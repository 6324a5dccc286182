internal import NetpolModel
internal import OrderedCollections
internal import RuleIR

/// The place of something in a dump.
struct Place {
  let line: Int
  let text: String
  /// What is there, if the line alone does not show it.
  var name: String?

  /// Shortens the text of the error, because a JSON object has no end of line.
  func error(_ problem: Problem, in file: String) -> DumpError {
    let problem = name.map { "\($0): \(problem.text)" } ?? problem.text
    return DumpError(file: file, line: line, text: excerpt(text[...]), problem: problem)
  }
}

/// A problem and where it is.
struct Fault: Error {
  let problem: Problem
  let place: Place
}

/// Something in a dump, or the reason why RuleIR can't express it.
struct Listed<Value> {
  let place: Place
  let value: Result<Value, Fault>

  init(_ place: Place, _ read: () throws(Problem) -> Value) {
    self.place = place
    do throws(Problem) {
      value = .success(try read())
    } catch {
      value = .failure(Fault(problem: error, place: place))
    }
  }

  init(_ place: Place, _ value: Result<Value, Fault>) {
    self.place = place
    self.value = value
  }
}

/// A table, as text or JSON lists it.
struct ListedTable {
  struct Chain {
    let name: ChainName
    let place: Place
    var comment: String?
    var base: Listed<RuleIR.Chain.Base>?
    var rules: [Listed<Rule>] = []
  }

  struct Set {
    let name: SetName
    let set: Listed<NftSet>
  }

  /// Anything except chains and sets.
  struct Object {
    let kind: ForeignObject.Kind
    let name: String
    let place: Place
    let problem: Problem
  }

  let family: String
  let name: String
  let place: Place
  var comment: String?
  /// Why nothing in it can be read.
  var problem: Problem?
  var chains: OrderedDictionary<ChainName, Chain> = [:]
  var sets: [Set] = []
  var objects: [Object] = []
  private var names: Swift.Set<String> = []

  init(family: String, name: String, place: Place) {
    self.family = family
    self.name = name
    self.place = place
    if ipFamily == nil { problem = Problem("tables of family \(family) are not understood") }
  }

  var ipFamily: IPFamily? { ["ip": .v4, "ip6": .v6][family] }

  /// Chains have a name space of their own. Sets and maps share one.
  mutating func declare(_ kind: String, _ name: String) throws(Problem) {
    guard names.insert("\(kind == "map" ? "set" : kind) \(name)").inserted else {
      throw Problem("\(kind) \(name) appears twice")
    }
  }

  /// A `dormant` table hooks nothing. The other flags only restrict who may change the table.
  mutating func read(flags: [String]) {
    if let flag = flags.first(where: { $0 != "owner" && $0 != "persist" }), problem == nil {
      problem = Problem("flag \(flag) of a table is not understood")
    }
  }

  fileprivate func foreign(
    _ kind: ForeignObject.Kind, chain: ChainName? = nil, object: String? = nil, position: Int = 0, rules: Int = 0,
    _ fault: Fault
  ) -> ForeignObject {
    ForeignObject(
      kind: kind, family: family, table: name, chain: chain, object: object, position: position, rules: rules,
      line: fault.place.line, text: fault.place.text, problem: fault.problem.text)
  }
}

/// Returns the tables as values. What RuleIR can't express is an error in a table that is `required`, and foreign in
/// any other.
func nftDump(
  _ tables: [ListedTable], file: String, required: (String) -> Bool
) throws(DumpError) -> NftDump {
  var assembly = NftAssembly()
  var dump = NftDump()
  // Required tables claim their names before other tables.
  let isRequired = tables.map { required($0.name) }
  for (table, _) in zip(tables, isRequired).filter(\.1) {
    do throws(Fault) {
      try assembly.claim(table)
    } catch {
      throw error.place.error(error.problem, in: file)
    }
  }
  for (table, isRequired) in zip(tables, isRequired) {
    var foreign: [ForeignObject] = []
    guard let read = assembly.read(table, owned: isRequired, &dump, &foreign) else {
      dump.foreign += foreign
      continue
    }
    dump.tables.append(read)
    dump.foreign += foreign
  }
  return dump
}

private struct NftAssembly {
  struct SetKey: Hashable {
    let name: SetName
    let family: IPFamily
  }

  /// The table of each set that has been read or claimed.
  private var owners: [SetKey: String] = [:]

  /// Claims the names of the table's sets. Throws the first thing that RuleIR can't express.
  mutating func claim(_ table: ListedTable) throws(Fault) {
    guard table.problem == nil, let family = table.ipFamily else {
      throw Fault(problem: table.problem ?? Problem("not understood"), place: table.place)
    }
    if let object = table.objects.first { throw Fault(problem: object.problem, place: object.place) }
    var own: Set<SetName> = []
    for set in table.sets {
      _ = try set.set.value.get()
      if let owner = owners.updateValue(table.name, forKey: SetKey(name: set.name, family: family)) {
        throw Fault(problem: Problem("table \(owner) also has a set \(set.name)"), place: set.set.place)
      }
      own.insert(set.name)
    }
    for chain in table.chains.values {
      _ = try chain.base?.value.get()
      for rule in chain.rules {
        let missing = missingSet(try rule.value.get(), of: own)
        if let missing { throw Fault(problem: missing, place: rule.place) }
      }
    }
  }

  /// Returns `nil` if the whole table is foreign. With `owned` its names have been claimed.
  mutating func read(
    _ table: ListedTable, owned: Bool, _ dump: inout NftDump, _ foreign: inout [ForeignObject]
  ) -> Table? {
    guard table.problem == nil, let family = table.ipFamily else {
      let fault = Fault(problem: table.problem ?? Problem("not understood"), place: table.place)
      foreign.append(table.foreign(.table, rules: table.chains.values.reduce(0) { $0 + $1.rules.count }, fault))
      return nil
    }
    for object in table.objects {
      let fault = Fault(problem: object.problem, place: object.place)
      foreign.append(table.foreign(object.kind, object: object.name, fault))
    }
    var own: Set<SetName> = []
    for set in table.sets {
      let key = SetKey(name: set.name, family: family)
      switch set.set.value {
      case .success(let value) where owned || owners[key] == nil:
        owners[key] = table.name
        own.insert(set.name)
        switch value {
        case .addresses(let set): dump.sets.append(set)
        case .keyed(let set): dump.keyedSets.append(set)
        }
      case .success:
        let problem = Problem("table \(owners[key] ?? "") also has a set \(set.name)")
        foreign.append(table.foreign(.set, object: set.name, Fault(problem: problem, place: set.set.place)))
      case .failure(let fault):
        let problem = Fault(problem: fault.problem, place: set.set.place)
        foreign.append(table.foreign(.set, object: set.name, problem))
      }
    }
    var result = Table(name: table.name, family: family, comment: table.comment)
    for chain in table.chains.values {
      if let read = self.read(chain, of: table, sets: own, &foreign) { result.chains.append(read) }
    }
    return result
  }

  private func read(
    _ chain: ListedTable.Chain, of table: ListedTable, sets: Set<SetName>, _ foreign: inout [ForeignObject]
  ) -> Chain? {
    var result = Chain(name: chain.name, comment: chain.comment)
    var unread: Problem?
    switch chain.base?.value {
    case .success(let base)?: result.base = base
    case .failure(let fault)?:
      unread = Problem("the chain is not read: \(fault.problem.text)")
      let fault = Fault(problem: fault.problem, place: chain.place)
      foreign.append(table.foreign(.chain, chain: chain.name, fault))
    case nil: break
    }
    for rule in chain.rules {
      let problem: Problem
      switch rule.value {
      case .success(let value):
        guard let reason = unread ?? missingSet(value, of: sets) else {
          result.rules.append(value)
          continue
        }
        problem = reason
      case .failure(let fault): problem = fault.problem
      }
      let fault = Fault(problem: problem, place: rule.place)
      foreign.append(table.foreign(.rule, chain: chain.name, position: result.rules.count, rules: 1, fault))
    }
    return unread == nil ? result : nil
  }

  /// A rule can only use sets of its own table.
  private func missingSet(_ rule: Rule, of sets: Set<SetName>) -> Problem? {
    let asked =
      rule.matches.compactMap { match -> SetName? in
        switch match {
        case .inSet(_, let name, _), .keyed(_, let name): name
        default: nil
        }
      }
      + rule.statements.compactMap { statement in
        switch statement {
        case .setMarkFrom(_, let name), .verdictFrom(_, let name): name
        default: nil
        }
      }
    return asked.first { !sets.contains($0) }.map { Problem("this table has no set \($0), or it was not read") }
  }
}

/// Returns at most 300 bytes, from the beginning of the text.
func excerpt(_ text: Substring) -> String {
  guard text.utf8.count > 300 else { return String(text) }
  var bytes = Array(text.utf8.prefix(300))
  // Don't cut inside a character.
  while let last = bytes.last, last & 0xc0 == 0x80 { bytes.removeLast() }
  if let last = bytes.last, last >= 0xc0 { bytes.removeLast() }
  return String(decoding: bytes, as: UTF8.self) + "…"
}
