/// What a sync does, in this order; a back end has its own part of it.
public enum SyncStep: String, Hashable, Sendable, CaseIterable {
  /// Hook jumps, exemptions and the chains that every node has.
  case ensure
  /// Policies and pods to rules and sets.
  case lower

  // With iptables.
  case saveRules
  case saveSets
  case composeSets
  /// Each set is swapped with its successor: during this step the old chains meet new sets.
  case restoreSets
  case composeRules
  /// The whole filter table is replaced.
  case restoreRules

  // With nft.
  /// A transaction for each policy: its sets change under the old chains.
  case policyChains
  case podChains
  /// The base chains are rebuilt in one transaction.
  case baseChains

  /// With default-deny: the set of the pods that have a chain.
  case localPods
  /// Stale chains and sets are deleted.
  case cleanUp
}

extension SyncStep {
  /// What has happened when the step is over; a style may say it otherwise (`EnforcementStyle.moments`).
  public var moment: String {
    switch self {
    case .ensure: "fixed chains checked"
    case .lower: "rules worked out"
    case .saveRules: "iptables-save returned"
    case .saveSets: "ipset save returned"
    case .composeSets: "sets written down"
    case .restoreSets: "ipset restore returned: sets swapped"
    case .composeRules: "rules written down"
    case .restoreRules: "iptables-restore returned: chains in place"
    case .policyChains: "all policies' transactions returned"
    case .podChains: "all pod chains' transactions returned"
    case .baseChains: "base chains' transaction returned: chains in place"
    case .localPods: "set of local pods filled"
    case .cleanUp: "stale chains and sets gone"
    }
  }
}
