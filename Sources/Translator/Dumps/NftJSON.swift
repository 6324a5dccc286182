internal import NetpolModel
internal import OrderedCollections
internal import RuleIR

/// Reads what `nft -j list ruleset` printed, into the same values as `readNftList`.
///
/// nft 1.0.6 omits the comments of tables and chains, which the text has.
public func readNftJSON(
  _ text: String, file: String, required: (String) -> Bool = isKubeRouterTable
) throws(DumpError) -> NftDump {
  var reading = NftJSONReading()
  do throws(Fault) {
    try reading.read(try NftJSONListing(text))
  } catch {
    throw error.place.error(error.problem, in: file)
  }
  return try nftDump(Array(reading.tables.values), file: file, required: required)
}

private struct NftJSONReading {
  struct Key: Hashable {
    let family: String
    let table: String
  }

  private(set) var tables: OrderedDictionary<Key, ListedTable> = [:]

  mutating func read(_ listing: NftJSONListing) throws(Fault) {
    for index in listing.indices {
      let value = try listing.value(index)
      let place = listing.place(index)
      do throws(Problem) {
        guard let (kind, object) = value.single else { throw Problem("not an object of nft") }
        try add(kind, object, place)
      } catch {
        throw Fault(problem: error, place: place)
      }
    }
  }

  private mutating func add(_ kind: String, _ object: JSONValue, _ place: Place) throws(Problem) {
    if kind == "metainfo" { return }
    guard let family = object["family"]?.string else { throw Problem("\(kind) has no family") }
    if kind == "table" {
      guard let name = object["name"]?.string else { throw Problem("\(kind) has no name") }
      let key = Key(family: family, table: name)
      guard tables[key] == nil else { throw Problem("table \(name) appears twice") }
      var table = ListedTable(family: family, name: name, place: place)
      table.comment = object["comment"]?.string
      if let flags = object["flags"] { table.read(flags: words(flags)) }
      tables[key] = table
      return
    }
    guard let tableName = object["table"]?.string else { throw Problem("\(kind) has no table") }
    guard let index = tables.index(forKey: Key(family: family, table: tableName)) else {
      throw Problem("table \(tableName) is not listed before")
    }
    if kind == "rule" { return try tables.values[index].add(rule: object, place) }
    guard let name = object["name"]?.string else { throw Problem("\(kind) has no name") }
    try tables.values[index].add(kind, name, object, place)
  }
}

extension ListedTable {
  /// Adds a chain, a set or another object with a name.
  fileprivate mutating func add(
    _ kind: String, _ name: String, _ object: JSONValue, _ place: Place
  ) throws(Problem) {
    try declare(kind, name)
    var place = place
    place.name = "\(kind) \(name) of table \(family) \(self.name)"
    switch kind {
    case "chain":
      var chain = Chain(name: name, place: place)
      chain.comment = object["comment"]?.string
      if object["hook"] != nil || object["type"] != nil {
        chain.base = Listed(place) { () throws(Problem) in try base(object) }
      }
      chains[name] = chain
    case "set", "map":
      let ipFamily = ipFamily
      let set = Listed(place) { () throws(Problem) in
        guard let ipFamily else { throw Problem("not read") }
        return try nftSet(object, name: name, family: ipFamily, isMap: kind == "map")
      }
      // Of other maps, for example verdict maps, only the name is kept.
      if kind == "map", case .failure = set.value { fallthrough }
      sets.append(Set(name: name, set: set))
    default: objects.append(Object(kind: kind, name: name, place: place))
    }
  }

  fileprivate mutating func add(rule object: JSONValue, _ place: Place) throws(Problem) {
    guard let chain = object["chain"]?.string else { throw Problem("rule has no chain") }
    guard let index = chains.index(forKey: chain) else {
      throw Problem("chain \(chain) of table \(family) \(name) is not listed before")
    }
    let handle = object["handle"]?.word.map { " (handle \($0))" } ?? ""
    var place = place
    place.name =
      "rule \(chains.values[index].rules.count + 1)\(handle) of chain \(chain) in table \(family) \(name)"
    let ipFamily = ipFamily
    let rule = Listed(place) { () throws(Problem) in
      guard let ipFamily else { throw Problem("not read") }
      return try nftRule(object, family: ipFamily)
    }
    chains.values[index].rules.append(rule)
  }

  private func base(_ object: JSONValue) throws(Problem) -> RuleIR.Chain.Base {
    guard let type = object["type"]?.string, let hook = object["hook"]?.string else {
      throw Problem("the base chain has no type or no hook")
    }
    guard let priority = object["prio"]?.word.flatMap({ Int32($0) }) else { throw Problem("prio is not a priority") }
    if object["dev"] != nil { throw Problem("a device of a base chain is not understood") }
    return try RuleIR.Chain.Base(type: type, hook: hook, priority: Int(priority), policy: object["policy"]?.string)
  }
}

/// Returns one string or several. Newer versions print a single string without an array.
private func words(_ value: JSONValue) -> [String] {
  value.array.map { $0.map { $0.word ?? "" } } ?? [value.word ?? ""]
}

// MARK: Sets

private func nftSet(
  _ object: JSONValue, name: SetName, family: IPFamily, isMap: Bool
) throws(Problem) -> NftSet {
  guard case .object(let fields) = object else { throw Problem("not a set") }
  var draft = NftSetDraft(name, family: family, isMap: isMap)
  for key in fields.keys.sorted() {
    switch key {
    case "family", "name", "table", "handle", "timeout", "gc-interval", "policy", "auto-merge": break
    case "type", "flags", "elem", "map": break
    case "size":
      guard let size = fields[key]?.word else { throw Problem("the size is not a number") }
      try draft.read(size: size)
    case "comment":
      guard let comment = fields[key]?.string else { throw Problem("the comment is not text") }
      draft.comment = comment
    case "stmt":
      guard let statements = fields[key]?.array, statements.allSatisfy({ $0.single?.key == "counter" }) else {
        throw Problem("statements of a set are not understood")
      }
    default: throw Problem("\(key) of a set is not understood")
    }
  }
  guard let type = fields["type"] else { throw Problem("the set has no type") }
  let value = fields["map"].map { " : \($0.string ?? "")" } ?? ""
  if let names = type.array?.map({ $0.string ?? "" }) ?? type.string.map({ [$0] }) {
    try draft.read(type: names.joined(separator: " . ") + value)
  } else if let expression = type["typeof"] {
    try draft.read(type: try nftKey(expression))
  } else {
    throw Problem("a type of several parts is not understood")
  }
  if let flags = fields["flags"] {
    for flag in words(flags) { try draft.read(flag: flag) }
  }
  if let elements = fields["elem"] {
    guard let elements = elements.array else { throw Problem("elem is not a list") }
    for element in elements {
      // In a map, an element is a pair of a key and its value.
      let key = element.array?.first ?? element
      try draft.add(try nftElement(element), comment: key["elem"]?["comment"]?.string)
    }
  }
  return try draft.finished()
}

private func nftElement(_ value: JSONValue) throws(Problem) -> String {
  // In a map, an element is a pair of a key and its value.
  if let pair = value.array {
    guard pair.count == 2 else { throw Problem("an element of a map is not a pair") }
    return "\(try nftElement(pair[0])) : \(try nftMapValue(pair[1]))"
  }
  if let values = value["concat"]?.array {
    var words: [String] = []
    for value in values { words.append(try nftWord(value)) }
    return words.joined(separator: " . ")
  }
  guard let element = value["elem"] else { return try nftWord(value) }
  guard case .object(let fields) = element, let value = fields["val"] else { throw Problem("an element has no val") }
  for key in fields.keys.sorted() where !["val", "timeout", "expires", "counter", "comment"].contains(key) {
    throw Problem("\(key) of an element is not understood")
  }
  return try nftElement(value)
}
