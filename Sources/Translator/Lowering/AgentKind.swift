/// Who enforces the policies on the nodes of a lab.
public enum AgentKind: String, CaseIterable, Sendable {
  /// As kube-router's controller does: all anew at every event, by the processes that it starts.
  case fullSync = "full-sync"
  /// Only what changes, over an open netlink socket: the bound of what is possible.
  case incremental
}

/// The full sync of a kube-router, by the programs that it starts. Its steps know kube-router's chains.
public enum FullSync: Hashable, Sendable, CaseIterable {
  /// `iptables`, `iptables-restore`, `ipset`.
  case iptables
  case nft
}
