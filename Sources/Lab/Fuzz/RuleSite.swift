internal import NetpolModel
internal import RuleIR

/// Identifies rules of the same make: those that one line of a lowering writes, in every node's ruleset.
///
/// Chains and sets are identified by their names without hashes. The values of addresses and ports are not part of it.
struct RuleSite: Hashable, Sendable, CustomStringConvertible {
  let chain: String
  /// The kinds of its matches and statements.
  let make: String

  init(_ rule: Rule, in chain: ChainName) {
    self.chain = withoutHash(chain)
    make = (rule.matches.map(\.make) + ["->"] + rule.statements.map(\.make)).joined(separator: " ")
  }

  var description: String { "\(chain): \(make)" }
}

/// Returns a name without its family, and with `*` in place of the hash at its end.
func withoutHash(_ name: String) -> String {
  if name.hasPrefix("inet6:") { return withoutHash(String(name.dropFirst(6))) }
  guard let dash = name.lastIndex(of: "-") else { return name }
  let hash = name[name.index(after: dash)...]
  let isHash = hash.utf8.count == 16 && hash.utf8.allSatisfy { (65...90).contains($0) || (50...55).contains($0) }
  return isHash ? "\(name[...dash])*" : name
}

extension Match {
  fileprivate var make: String {
    let negation = { (isNegated: Bool) in isNegated ? "!" : "" }
    return switch self {
    case .address(let side, let cidr, let negated):
      "\(negation(negated))\(side.rawValue) \(cidr.isHost ? "host" : "net")"
    case .inSet(let side, let name, let negated): "\(negation(negated))\(side.rawValue) @\(withoutHash(name))"
    case .addresses(let side, _, let negated): "\(negation(negated))\(side.rawValue) nets"
    case .translated: "translated"
    case .keyed(let fields, let name): "\(fields.map { "\($0)" }.joined(separator: ".")) @\(name)"
    case .transport: "transport"
    case .port(_, let range): range.first == range.last ? "port" : "range"
    case .sourcePort: "source port"
    case .multiport: "ports"
    case .icmpType: "icmp"
    case .conntrack(let states): "ct \(states.map(\.rawValue).sorted().joined(separator: ","))"
    case .bridged: "bridged"
    case .local(let side): "local \(side.rawValue)"
    case .mark(let mark, let negated): "\(negation(negated))mark \(mark.value)/\(mark.mask)"
    case .limit: "limit"
    case .random: "random"
    case .codePoint: "codePoint"
    }
  }
}

extension Statement {
  fileprivate var make: String {
    switch self {
    case .jump(let chain): "jump \(withoutHash(chain))"
    case .goto(let chain): "goto \(withoutHash(chain))"
    case .verdictFrom(_, let map): "verdict of \(map)"
    case .setMark(let mark): "mark \(mark.value)/\(mark.mask)"
    case .setMarkFrom(_, let map): "mark of \(map)"
    case .counter, .notrack, .log, .return, .accept, .drop, .reject, .dnat, .dnatRandomly, .gotoRandomly, .masquerade:
      RuleKind(self).rawValue
    }
  }
}
