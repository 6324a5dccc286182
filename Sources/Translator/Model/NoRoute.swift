/// Why a packet can't get from one end of a flow to the other, whatever the rules say. Then nobody allows or denies it.
public enum NoRoute: Hashable, Sendable {
  /// No machine has the address. `why`: what the cluster's objects say about it.
  case nobody(IPAddress, why: String? = nil)
  case podNotInLab(PodID)
  case noSuchHost(String)
  case noSuchNode(String)
  /// A host outside without `routesToPods`.
  case noRouteToPods(host: String)
  /// A host outside without `routesToServices`, and an address for ClusterIPs. `nil`: the ClusterIP of a Service.
  case onlyInside(IPAddress?)
  case serviceSends
  case loopbackSource(IPAddress)
  /// NodeLocal DNS's address has no route back to its node.
  case localDNSAnswer(IPAddress, node: String)
  case group
  case loop
  /// The reply doesn't pass the node that translated the request.
  case replyPastTranslator(of: Endpoint, to: IPAddress, past: String)
  /// A neighbour on the bridge answers directly, past conntrack, since bridge netfilter is off.
  case replyOnBridge(of: Endpoint)
}

extension NoRoute: CustomStringConvertible {
  /// A clause for users.
  public var description: String {
    switch self {
    case .nobody(let address, let why): why ?? "no machine has \(address)"
    case .podNotInLab(let pod): "\(pod) is not in the lab"
    case .noSuchHost(let name): "no external host \(name)"
    case .noSuchNode(let name): "no node \(name)"
    case .noRouteToPods(let host): "\(host) has no route to the pods (routesToPods)"
    case .onlyInside(let address):
      "\(address.map { "\($0)" } ?? "a ClusterIP") is known only inside the cluster; if the host has a route to it, say so "
        + "with routesToServices"
    case .serviceSends: "a service can't send packets"
    case .loopbackSource(let address): "no packet with source \(address) can leave a node"
    case .localDNSAnswer(let address, let node):
      "answers to \(address), NodeLocal DNS's address on \(node), don't come back"
    case .group: "packets to a multicast group stay in their sender's network"
    case .loop: "the packet is forwarded in a loop"
    case .replyPastTranslator(let receiver, let source, let node):
      "the reply of \(receiver) goes straight to \(source), past \(node), and is not translated back"
    case .replyOnBridge(let receiver):
      "the reply of \(receiver) bypasses conntrack on the bridge and is not translated back (bridge netfilter is off)"
    }
  }
}
