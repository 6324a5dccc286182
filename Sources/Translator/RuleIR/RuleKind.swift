/// The kind of a match or statement. A table with all kinds covers everything that a rule can contain.
public enum RuleKind: String, Hashable, Sendable, CaseIterable {
  case address, inSet, addresses, keyed, transport, port, sourcePort, multiport, icmpType, conntrack, translated,
    bridged, local,
    mark, limit, random,
    codePoint
  case counter, setMark, setMarkFrom, notrack, log, jump, goto, verdictFrom, gotoRandomly, `return`, accept, drop,
    reject, dnat,
    dnatRandomly, masquerade

  public init(_ match: Match) {
    self =
      switch match {
      case .address: .address
      case .inSet: .inSet
      case .addresses: .addresses
      case .keyed: .keyed
      case .transport: .transport
      case .port: .port
      case .sourcePort: .sourcePort
      case .multiport: .multiport
      case .icmpType: .icmpType
      case .conntrack: .conntrack
      case .translated: .translated
      case .bridged: .bridged
      case .local: .local
      case .mark: .mark
      case .limit: .limit
      case .random: .random
      case .codePoint: .codePoint
      }
  }

  public init(_ statement: Statement) {
    self =
      switch statement {
      case .counter: .counter
      case .setMark: .setMark
      case .setMarkFrom: .setMarkFrom
      case .notrack: .notrack
      case .log: .log
      case .jump: .jump
      case .goto: .goto
      case .verdictFrom: .verdictFrom
      case .gotoRandomly: .gotoRandomly
      case .return: .return
      case .accept: .accept
      case .drop: .drop
      case .reject: .reject
      case .dnat: .dnat
      case .dnatRandomly: .dnatRandomly
      case .masquerade: .masquerade
      }
  }
}
