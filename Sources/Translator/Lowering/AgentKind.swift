/// Which agent enforces the policies on the nodes of a lab.
public enum AgentKind: String, CaseIterable, Sendable {
  /// Like kube-router's controller: rebuilds everything at every event, by starting the same processes.
  case fullSync = "full-sync"
  /// Changes only what an event changes, over an open netlink socket: the fastest way possible.
  case incremental
}

/// The back end of a kube-router full sync: which programs it starts. The steps of the sync depend on kube-router's
/// chains.
public enum FullSync: Hashable, Sendable, CaseIterable {
  /// `iptables`, `iptables-restore`, `ipset`.
  case iptables
  case nft
}
