internal import NetpolModel
public import RuleIR

/// Commands on one table for `nft -f`, one per line. nft applies all of them or none.
public struct NftCommands: Sendable {
  public private(set) var text = ""
  private let table: String
  private let family: IPFamily

  /// Uses only the table's name and family, not its contents.
  public init(to table: Table) {
    self.table = "\(table.family.nft) \(table.name)"
    family = table.family
  }

  public mutating func addTable(comment: String?) { add("add table \(table)", comment.map(Self.comment)) }

  /// Adds the chain if it does not exist, and empties it.
  public mutating func renew(_ chain: Chain) {
    addEmpty(chain)
    flush(chain: chain.name)
  }

  /// Adds the chain if it does not exist, without its rules.
  public mutating func addEmpty(_ chain: Chain) {
    let base = chain.base.map {
      "type \($0.kind.rawValue) hook \($0.hook.rawValue) priority \($0.priority) ; policy \($0.policy.rawValue) ;"
    }
    add("add chain \(table) \(chain.name)", base, chain.comment.map(Self.comment))
  }

  public mutating func addRules(of chain: Chain) throws(Unsupported) {
    for rule in chain.rules { add("add rule \(table) \(chain.name) \(try nftRuleText(rule, family))") }
  }

  /// Adds the set if it does not exist, empties it and adds its members.
  public mutating func renew(_ set: NamedSet) throws(Unsupported) {
    try addEmpty(set)
    refill(set)
  }

  /// Adds the set if it does not exist, without its members.
  public mutating func addEmpty(_ set: NamedSet) throws(Unsupported) {
    if set.kind == .hashNet { throw Unsupported("the set \(set.name) of type hash:net", in: "nft") }
    add(
      "add set \(table) \(set.name)", "type \(family.nftAddress) ;",
      set.kind == .interval ? "flags interval ;" : nil, set.comment.map(Self.comment))
  }

  /// Empties an existing set and adds its members.
  public mutating func refill(_ set: NamedSet) {
    add("flush set \(table) \(set.name)")
    for member in set.members { add("add element \(table) \(set.name) { \(nftAddress(member.cidr)) }") }
  }

  public mutating func add(_ elements: [KeyedSet.Element], to set: KeyedSet) { change("add", elements, set) }
  public mutating func delete(_ elements: [KeyedSet.Element], from set: KeyedSet) { change("delete", elements, set) }

  private mutating func change(_ verb: String, _ elements: [KeyedSet.Element], _ set: KeyedSet) {
    for element in elements {
      add("\(verb) element \(table) \(set.name) { \(nftElementText(element, of: set)) }")
    }
  }

  public mutating func flush(chain: ChainName) { add("flush chain \(table) \(chain)") }
  public mutating func delete(chain: ChainName) { add("delete chain \(table) \(chain)") }
  public mutating func delete(set: SetName) { add("delete set \(table) \(set)") }

  private static func comment(_ text: String) -> String { "comment \(nftQuoted(text)) ;" }

  private mutating func add(_ command: String, _ properties: String?...) {
    let properties = properties.compactMap(\.self)
    text += command
    if !properties.isEmpty { text += " { \(properties.joined(separator: " ")) }" }
    text += "\n"
  }
}
