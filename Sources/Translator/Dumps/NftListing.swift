internal import NetpolModel
internal import OrderedCollections
internal import RuleIR

/// Reads what `nft list ruleset` printed, with any number of tables, with or without counts (`-s`), handles (`-a`) and
/// names of numbers (`-n`).
///
/// It is the inverse of `nftText`. What RuleIR can't express is an error in a table that is `required`. In any other
/// table it goes to `foreign`. A broken structure is always an error: a table without its end, a chain that appears
/// twice. A range in a set becomes the networks that it consists of.
public func readNftList(
  _ text: String, file: String, required: (String) -> Bool = isKubeRouterTable
) throws(DumpError) -> NftDump {
  var reading = NftReading()
  for line in nftLines(text) {
    do throws(Problem) {
      try reading.read(line)
    } catch {
      throw line.place.error(error, in: file)
    }
  }
  if let place = reading.object?.place ?? reading.table?.place {
    throw place.error(Problem("this has no closing }"), in: file)
  }
  return try nftDump(reading.tables, file: file, required: required)
}

/// A line without leading and trailing spaces.
struct NftLine {
  let number: Int
  let text: Substring
  var place: Place { Place(line: number, text: String(text)) }
}

/// The lines of a text, without empty lines and lines that begin with `#`.
private func nftLines(_ text: String) -> [NftLine] {
  let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
  var lines: [NftLine] = []
  for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
    var line = line.drop(while: isSpace)
    while let last = line.last, isSpace(last) { line = line.dropLast() }
    if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
    lines.append(NftLine(number: index + 1, text: Substring(line)))
  }
  return lines
}

/// The structure of the text: tables, their objects, and the lines of these.
private struct NftReading {
  struct Object {
    /// `chain`, `set`, `ct helper` …
    let kind: String
    let name: String
    let place: Place
    var lines: [NftLine] = []
    /// The number of open braces.
    var depth = 1
  }

  var tables: [ListedTable] = []
  var table: ListedTable?
  var object: Object?
  private var names: Set<String> = []

  mutating func read(_ line: NftLine) throws(Problem) {
    if var open = object {
      // This avoids a copy: the object has only one owner while a line is added.
      object = nil
      if try open.read(line) { object = open } else { try table?.add(open) }
      return
    }
    if line.text == "}" {
      guard let table else { throw Problem("} outside of a table") }
      tables.append(table)
      self.table = nil
      return
    }
    var words = try NftWords(line.text)
    if words.words.last == NftWords.Word(text: "{") { return try open(words, line) }
    guard table != nil else { throw Problem("not a line of nft list ruleset") }
    switch try words.next() {
    case "comment": table?.comment = try words.quoted(of: "comment")
    case "flags":
      var flags: [String] = []
      repeat { flags.append(try words.value(of: "flags")) } while words.take(",")
      table?.read(flags: flags)
    default: throw Problem("not understood in a table")
    }
    try words.checkEnd()
  }

  /// `table ip NAME {`, `chain NAME {`, `ct helper NAME {`
  private mutating func open(_ words: NftWords, _ line: NftLine) throws(Problem) {
    let head = words.words.dropLast().map(\.text)
    if head.first == "table" {
      guard table == nil else { throw Problem("the table before this has no closing }") }
      guard head.count == 3 else { throw Problem("not the first line of a table") }
      guard names.insert("\(head[1]) \(head[2])").inserted else { throw Problem("table \(head[2]) appears twice") }
      table = ListedTable(family: head[1], name: head[2], place: line.place)
      return
    }
    guard table != nil else { throw Problem("outside of a table") }
    guard head.count > 1, let name = head.last else { throw Problem("not the first line of an object") }
    let kind = head.dropLast().joined(separator: " ")
    try table?.declare(kind, name)
    object = Object(kind: kind, name: name, place: line.place)
  }
}

extension NftReading.Object {
  /// Returns whether the object continues.
  mutating func read(_ line: NftLine) throws(Problem) -> Bool {
    if line.text == "}", depth == 1 { return false }
    let isPlain = ["chain", "set", "map"].contains(kind)
    let isHead = line.text.utf8.contains(UInt8(ascii: "{")) && isHeadOfObject(line)
    if isPlain, isHead { throw Problem("the \(kind) before this has no closing }") }
    // A rule has its braces on one line.
    if kind != "chain" {
      for word in try NftWords(line.text).words where !word.isQuoted {
        if word.text == "{" { depth += 1 }
        if word.text == "}" { depth -= 1 }
      }
      guard depth > 0 else { throw Problem("} is not understood here") }
    }
    lines.append(line)
    return true
  }

  /// Whether the line ends with `{` and has only names before it.
  private func isHeadOfObject(_ line: NftLine) -> Bool {
    guard let words = try? NftWords(line.text).words, words.last == NftWords.Word(text: "{") else { return false }
    return !words.contains(NftWords.Word(text: "="))
  }
}

extension ListedTable {
  /// Adds the object with its lines.
  fileprivate mutating func add(_ object: NftReading.Object) throws(Problem) {
    switch object.kind {
    case "chain": chains[object.name] = try chain(object)
    case "set": sets.append(set(object, family: ipFamily))
    // Of other maps, for example verdict maps, only the name is kept.
    case "map":
      let map = set(object, family: ipFamily)
      guard case .success = map.set.value else { fallthrough }
      sets.append(map)
    default:
      objects.append(Object(kind: object.kind, name: object.name, place: object.place))
    }
  }

  private func set(_ object: NftReading.Object, family: IPFamily?) -> Set {
    guard let family else {
      return Set(name: object.name, set: Listed(object.place) { () throws(Problem) in throw Problem("not read") })
    }
    var reading = NftSetText(object.name, at: object.place, object.lines, family: family, isMap: object.kind == "map")
    do throws(Fault) {
      return Set(name: object.name, set: Listed(object.place, .success(try reading.read())))
    } catch {
      return Set(name: object.name, set: Listed(object.place, .failure(error)))
    }
  }

  private func chain(_ object: NftReading.Object) throws(Problem) -> Chain {
    var chain = Chain(name: object.name, place: object.place)
    for line in object.lines {
      let isFirst = chain.rules.isEmpty && chain.base == nil
      if isFirst, chain.comment == nil, line.text.hasPrefix("comment "), let text = try? comment(line) {
        chain.comment = text
      } else if isFirst, line.text.hasPrefix("type ") {
        chain.base = Listed(line.place) { () throws(Problem) in try base(line) }
      } else {
        let family = ipFamily
        chain.rules.append(
          Listed(line.place) { () throws(Problem) in
            guard let family else { throw Problem("not read") }
            var reading = try NftRuleText(line.text, family: family)
            return try reading.read()
          })
      }
    }
    return chain
  }

  private func comment(_ line: NftLine) throws(Problem) -> String {
    var words = try NftWords(line.text)
    try words.expect("comment")
    let text = try words.quoted(of: "comment")
    try words.checkEnd()
    return text
  }

  /// `type filter hook input priority filter + 10; policy accept;`
  private func base(_ line: NftLine) throws(Problem) -> RuleIR.Chain.Base {
    var words = try NftWords(line.text)
    try words.expect("type")
    let type = try words.value(of: "type")
    try words.expect("hook")
    let hook = try words.value(of: "hook")
    try words.expect("priority")
    let name = try words.value(of: "priority")
    guard var priority = priorities[name] ?? Int32(name).map({ Int($0) }) else {
      throw Problem("\(name) is not a priority")
    }
    if let sign = words.peek, sign == "+" || sign == "-" {
      _ = words.take(sign)
      let text = try words.value(of: sign)
      guard let offset: Int32 = decimal(text) else { throw Problem("\(text) is not a priority") }
      priority += sign == "+" ? Int(offset) : -Int(offset)
    }
    try words.expect(";")
    let policy = words.take("policy") ? try words.value(of: "policy") : nil
    if policy != nil { try words.expect(";") }
    try words.checkEnd()
    return try RuleIR.Chain.Base(type: type, hook: hook, priority: priority, policy: policy)
  }
}

extension ListedTable.Object {
  init(kind: String, name: String, place: Place) {
    self.kind = kind == "map" ? .map : kind == "flowtable" ? .flowtable : .other
    self.name = name
    self.place = place
    problem = Problem("objects of kind \(kind) are not understood")
  }
}

extension Chain.Base {
  init(type: String, hook: String, priority: Int, policy: String?) throws(Problem) {
    guard let kind = Kind(rawValue: type) else { throw Problem("a base chain of type \(type) is not understood") }
    guard let hook = Hook(rawValue: hook) else { throw Problem("hook \(hook) is not understood") }
    guard let policy = Policy(rawValue: policy ?? "accept") else { throw Problem("\(policy ?? "") is not a policy") }
    self.init(hook, kind: kind, priority: priority, policy: policy)
  }
}

/// `enum nf_ip_hook_priorities`, by nft's names.
private let priorities = ["raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100]
