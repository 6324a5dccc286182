internal import NetpolModel
internal import RuleIR

/// How a pod chain refuses what no policy allows. kube-router uses the first kind.
public enum RefusalKind: Hashable, Sendable, CaseIterable {
  /// REJECT with an ICMP error, port unreachable.
  case portUnreachable
  /// REJECT with a TCP reset, which no rate limit on ICMP errors affects. Other transports get the ICMP error.
  case tcpReset
  /// DROP: the sender gets no answer.
  case drop
}

extension EnforcementStyle {
  /// Returns the same style with another kind of refusal, to compare what applications pay for it. No enforcer writes
  /// such rules.
  public func refusing(by refusal: RefusalKind) -> EnforcementStyle {
    rewriting { _, lowered in
      for table in lowered.ruleset.tables.indices {
        for chain in lowered.ruleset.tables[table].chains.indices {
          lowered.ruleset.tables[table].chains[chain].rules =
            lowered.ruleset.tables[table].chains[chain].rules.flatMap { $0.refusing(by: refusal) }
        }
      }
    }
  }
}

extension Rule {
  fileprivate func refusing(by refusal: RefusalKind) -> [Rule] {
    guard let index = statements.firstIndex(of: .reject(.portUnreachable)) else { return [self] }
    var changed = self
    switch refusal {
    case .portUnreachable: return [self]
    case .drop:
      changed.statements[index] = .drop
      return [changed]
    case .tcpReset:
      changed.statements[index] = .reject(.tcpReset)
      changed.matches.append(.transport(.tcp))
      return [changed, self]
    }
  }
}
