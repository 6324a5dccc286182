public import NetpolModel

/// Something that a service's rules do but a reader does not expect, or something that they leave out.
public struct ServiceFinding: Hashable, Sendable, CustomStringConvertible {
  public let service: NamespacedName
  public let location: SourceLocation?
  public let text: String
  public init(_ service: NamespacedName, _ location: SourceLocation?, _ text: String) {
    self.service = service
    self.location = location
    self.text = text
  }
  public var description: String { "\(location.map { "\($0): " } ?? "")Service \(service): \(text)" }
}

/// Returns where the rules of `serviceProxyTables` for the same view do less or more than the services mean.
public func serviceProxyFindings(_ view: ProxyView) -> [ServiceFinding] {
  view.services.flatMap { service -> [ServiceFinding] in
    guard service.kind != .externalName, !service.clusterIPs.isEmpty else { return [] }
    var texts: [String] = []
    if service.hasClientAffinity {
      texts.append(
        "it has sessionAffinity ClientIP: a client stays with the endpoint that it got first, also if that one refuses "
          + "it; here each endpoint is asked about on its own")
    }
    let ranges = Set(service.loadBalancerSourceRanges.map(\.family))
    for family in view.families where !ranges.isEmpty && !ranges.contains(family) {
      if service.loadBalancerIPs.contains(where: { $0.address.family == family && !$0.isProxied }) {
        texts.append(
          "its loadBalancerSourceRanges contain no \(family.rawValue) range, so kube-proxy lets every source reach its "
            + "\(family.rawValue) load-balancer addresses; add such a range")
      }
    }
    texts += unsettledAddresses(of: service, view).map { address in
      "its endpoint \(address) is listed as ready and as not ready, as may happen with host-network pods of one node: "
        + "whether kube-proxy uses the address is undefined; here it is used"
    }
    return texts.map { ServiceFinding(service.id, service.location, $0) }
  }
}

/// Addresses with a ready and an unready entry. kube-proxy keeps one of the entries with the same address.
private func unsettledAddresses(of service: Service, _ view: ProxyView) -> [IPAddress] {
  let members = view.slices(of: service).flatMap(\.members)
  let ready = Set(members.filter(\.isReady).map(\.address))
  return Set(members.filter { !$0.isReady && ready.contains($0.address) }.map(\.address)).sorted()
}
