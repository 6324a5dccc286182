internal import NetpolModel
internal import RuleIR

/// A mistake in one match of a rule.
enum MatchMutation: String, Hashable, Sendable, CaseIterable {
  case absent, negated, otherSide, otherTransport, firstPortLater, lastPortLater, onePortLess, otherMark, wider, noNew
  case noEstablished

  /// The matches that replace `match`. `nil` if the match can't have this mistake.
  func mutated(_ match: Match) -> [Match]? {
    switch (self, match) {
    case (.absent, _): []
    case (.negated, .address(let side, let cidr, let negated)): [.address(side, cidr, negated: !negated)]
    case (.negated, .inSet(let side, let name, let negated)): [.inSet(side, name, negated: !negated)]
    case (.negated, .mark(let mark, let negated)): [.mark(mark, negated: !negated)]
    case (.otherSide, .address(let side, let cidr, let negated)): [.address(side.other, cidr, negated: negated)]
    case (.otherSide, .inSet(let side, let name, let negated)): [.inSet(side.other, name, negated: negated)]
    case (.otherSide, .local(let side)): [.local(side.other)]
    case (.otherSide, .keyed(let fields, let name)):
      fields.otherSides == fields ? nil : [.keyed(fields.otherSides, in: name)]
    case (.otherTransport, .transport(let transport)): [.transport(transport.other)]
    case (.otherTransport, .port(let transport, let range)): [.port(transport.other, range)]
    case (.otherTransport, .multiport(let transport, let ranges)): [.multiport(transport.other, ranges)]
    case (.firstPortLater, .port(let transport, let range)):
      range.first == .max ? nil : [.port(transport, PortRange(range.first + 1, max(range.last, range.first + 1)))]
    case (.lastPortLater, .port(let transport, let range)):
      range.last == .max ? nil : [.port(transport, PortRange(range.first, range.last + 1))]
    case (.lastPortLater, .multiport(let transport, let ranges)):
      ranges.last.flatMap { last in
        last.last == .max
          ? nil : [.multiport(transport, ranges.dropLast() + [PortRange(last.first, last.last + 1)])]
      }
    case (.onePortLess, .multiport(let transport, let ranges)):
      ranges.count < 2 ? nil : [.multiport(transport, Array(ranges.dropLast()))]
    case (.otherMark, .mark(let mark, let negated)): [.mark(mark.other, negated: negated)]
    case (.wider, .address(let side, let cidr, let negated)):
      cidr.prefixLength == 0
        ? nil : [.address(side, CIDR(cidr.network, prefixLength: cidr.prefixLength - 1), negated: negated)]
    case (.noNew, .conntrack(let states)):
      states.contains(.new) && states.count > 1 ? [.conntrack(states.subtracting([.new]))] : nil
    case (.noEstablished, .conntrack(let states)):
      states.contains(.established) && states.count > 1 ? [.conntrack(states.subtracting([.established]))] : nil
    default: nil
    }
  }
}

/// A mistake in one statement of a rule.
enum StatementMutation: String, Hashable, Sendable, CaseIterable {
  case absent, accepts, drops, returns, otherMark, otherSide

  func mutated(_ statement: Statement) -> [Statement]? {
    switch (self, statement) {
    case (.absent, .accept), (.absent, .drop), (.absent, .reject), (.absent, .return), (.absent, .jump): []
    case (.absent, .setMark), (.absent, .setMarkFrom), (.absent, .counter), (.absent, .log): []
    case (.accepts, .drop), (.accepts, .reject), (.accepts, .return): [.accept]
    case (.drops, .accept), (.drops, .return): [.drop]
    case (.returns, .accept), (.returns, .drop), (.returns, .reject): [.return]
    case (.otherMark, .setMark(let mark)): [.setMark(mark.other)]
    case (.otherSide, .setMarkFrom(let fields, let map)): [.setMarkFrom(fields.otherSides, map: map)]
    default: nil
    }
  }
}

extension Side {
  fileprivate var other: Side { self == .source ? .destination : .source }
}

extension [PacketField] {
  fileprivate var otherSides: [PacketField] {
    map { field in if case .address(let side) = field { .address(side.other) } else { field } }
  }
}

extension Transport {
  /// No two transports replace each other: if there is a rule for each, the rules would stay the same.
  fileprivate var other: Transport {
    switch self {
    case .tcp: .udp
    case .udp: .sctp
    case .sctp: .tcp
    }
  }
}

extension Mark {
  /// The next higher bit. For a mark of zero, the lowest bit of its mask.
  fileprivate var other: Mark {
    if value != 0 { return Mark(value << 1, mask: mask == .max ? mask : mask << 1) }
    return Mark(mask & (~mask &+ 1), mask: mask)
  }
}
