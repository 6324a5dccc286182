import ArgumentParser
import Lowering
import NetpolModel

/// What kube-router is told on a node, for the commands that look at one node's rules.
struct NodeOptions: ParsableArguments {
  @Option(help: "What kube-router hashes into its chains' names: the start of the sync in Unix nanoseconds.")
  var versionStamp: String?

  @Option(help: "The service CIDRs, with commas between them; may be repeated.")
  var serviceCidr: [String] = []

  @Option(help: "The NodePort range, as 30000-32767.")
  var nodePortRange: String?

  @Option(help: "kube-router's --service-external-ip-range; may be repeated.")
  var serviceExternalIpRange: [String] = []

  @Option(help: "kube-router's --loadbalancer-ip-range; may be repeated.")
  var loadbalancerIpRange: [String] = []

  @Option(help: "The node's pod CIDRs, if not those of the manifests.")
  var podCidr: [String] = []

  @Flag(help: "kube-router's --netpol-default-deny.")
  var netpolDefaultDeny = false

  /// What the node knows of the cluster and was told.
  func view(of node: Node, in cluster: Cluster) throws -> NodeView {
    var view = NodeView(of: node, in: cluster, versionStamp: versionStamp ?? "1")
    if !serviceCidr.isEmpty { view.serviceCIDRs = try cidrs(serviceCidr, "--service-cidr") }
    if !podCidr.isEmpty { view.podCIDRs = try cidrs(podCidr, "--pod-cidr") }
    if let nodePortRange { view.nodePorts = try portRange(nodePortRange) }
    view.externalIPRanges = try cidrs(serviceExternalIpRange, "--service-external-ip-range")
    view.loadBalancerIPRanges = try cidrs(loadbalancerIpRange, "--loadbalancer-ip-range")
    if netpolDefaultDeny { view.defaultDeny = true }
    return view
  }

  private func cidrs(_ texts: [String], _ option: String) throws -> [CIDR] {
    try texts.flatMap { $0.split(separator: ",") }.map { text in
      guard let cidr = CIDR(String(text)) else {
        throw InputError("\(option) \(text): no CIDR; write an address and a length, as 10.43.0.0/16")
      }
      return cidr
    }
  }

  private func portRange(_ text: String) throws -> PortRange {
    let parts = text.split { $0 == "-" || $0 == ":" }.map { UInt16($0) }
    guard parts.count == 2, let first = parts[0], let last = parts[1], 0 < first, first < last else {
      throw InputError("--node-port-range \(text): write two ports, the lower first, as 30000-32767")
    }
    return PortRange(first, last)
  }
}
