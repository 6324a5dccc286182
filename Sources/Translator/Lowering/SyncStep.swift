/// The steps of a sync, in order. Each back end uses some of them.
public enum SyncStep: String, Hashable, Sendable, CaseIterable {
  /// Checks the hook jumps, the exemptions and the chains that every node has.
  case ensure
  /// Turns policies and pods into rules and sets.
  case lower

  // With iptables.
  case saveRules
  case saveSets
  case composeSets
  /// Each set is swapped with its replacement. During this step the old chains use new sets.
  case restoreSets
  case composeRules
  /// The whole filter table is replaced.
  case restoreRules

  // With nft.
  /// One transaction for each policy. Its sets change while the old chains are still in place.
  case policyChains
  case podChains
  /// The base chains are rebuilt in one transaction.
  case baseChains

  /// With default-deny: fills the set of the pods that have a chain.
  case localPods
  /// Stale chains and sets are deleted.
  case cleanUp
}

extension SyncStep {
  /// What has happened when the step ends. A style can override it (`EnforcementStyle.moments`).
  public var moment: String {
    switch self {
    case .ensure: "fixed chains checked"
    case .lower: "rules computed"
    case .saveRules: "iptables-save returned"
    case .saveSets: "ipset save returned"
    case .composeSets: "input for ipset restore composed"
    case .restoreSets: "ipset restore returned: sets swapped"
    case .composeRules: "input for iptables-restore composed"
    case .restoreRules: "iptables-restore returned: chains in place"
    case .policyChains: "transactions of all policies returned"
    case .podChains: "transactions of all pod chains returned"
    case .baseChains: "transaction of the base chains returned: chains in place"
    case .localPods: "set of local pods filled"
    case .cleanUp: "stale chains and sets deleted"
    }
  }
}
