import ArgumentParser
import Lowering
import NetpolModel

/// kube-router's command line on one node, for the commands that look at one node's rules.
struct NodeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start of kube-router's sync in Unix nanoseconds, which it hashes into chain names.", valueName: "nanoseconds"))
  var versionStamp: String?

  @Option(help: ArgumentHelp("Service CIDRs, comma-separated. Can be repeated.", valueName: "10.43.0.0/16"))
  var serviceCidr: [CommaList<CIDR>] = []

  @Option(help: ArgumentHelp("NodePort range.", valueName: "30000-32767"))
  var nodePortRange: PortRange?

  @Option(help: ArgumentHelp("kube-router's --service-external-ip-range. Can be repeated.", valueName: "CIDR"))
  var serviceExternalIpRange: [CommaList<CIDR>] = []

  @Option(help: ArgumentHelp("kube-router's --loadbalancer-ip-range. Can be repeated.", valueName: "CIDR"))
  var loadbalancerIpRange: [CommaList<CIDR>] = []

  @Option(help: ArgumentHelp("The node's pod CIDRs, instead of those in the manifests.", valueName: "10.42.0.0/24"))
  var podCidr: [CommaList<CIDR>] = []

  @Flag(help: "kube-router's --netpol-default-deny.")
  var netpolDefaultDeny = false

  /// The first option that is given.
  var given: String? {
    let all: [(name: String, isGiven: Bool)] = [
      ("--version-stamp", versionStamp != nil), ("--service-cidr", !serviceCidr.isEmpty),
      ("--node-port-range", nodePortRange != nil), ("--service-external-ip-range", !serviceExternalIpRange.isEmpty),
      ("--loadbalancer-ip-range", !loadbalancerIpRange.isEmpty), ("--pod-cidr", !podCidr.isEmpty),
      ("--netpol-default-deny", netpolDefaultDeny),
    ]
    return all.first(where: \.isGiven)?.name
  }

  /// Returns the node's view of the cluster, with the ranges that its dump shows and these options applied. Of the
  /// options, those that are given win over the dump.
  func view(of node: Node, in cluster: Cluster, dumped: ExemptRanges? = nil) -> NodeView {
    var view = NodeView(of: node, in: cluster, versionStamp: versionStamp ?? "1")
    if let dumped { view.take(dumped) }
    if !serviceCidr.isEmpty { view.serviceCIDRs = serviceCidr.flatMap(\.elements) }
    if !podCidr.isEmpty { view.podCIDRs = podCidr.flatMap(\.elements) }
    if let nodePortRange { view.nodePorts = nodePortRange }
    if !serviceExternalIpRange.isEmpty { view.externalIPRanges = serviceExternalIpRange.flatMap(\.elements) }
    if !loadbalancerIpRange.isEmpty { view.loadBalancerIPRanges = loadbalancerIpRange.flatMap(\.elements) }
    if netpolDefaultDeny { view.defaultDeny = true }
    return view
  }
}
