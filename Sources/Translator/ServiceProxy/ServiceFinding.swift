public import NetpolModel

/// Something about a service that its rules do and a reader does not expect, or that they leave out.
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

/// What `serviceProxyTables` of the same view says with less or more than the services mean.
public func serviceProxyFindings(_ view: ProxyView) -> [ServiceFinding] {
  view.services.flatMap { service -> [ServiceFinding] in
    guard service.kind != .externalName, !service.clusterIPs.isEmpty else { return [] }
    var texts: [String] = []
    if service.hasClientAffinity {
      texts.append("its sessionAffinity ClientIP has no effect here: every connection goes to an endpoint of its own")
    }
    let ranges = Set(service.loadBalancerSourceRanges.map(\.family))
    for family in view.families where !ranges.isEmpty && !ranges.contains(family) {
      if service.loadBalancerIPs.contains(where: { $0.address.family == family && !$0.isProxied }) {
        texts.append(
          "its loadBalancerSourceRanges hold no \(family.rawValue) range, so kube-proxy admits every source to its "
            + "\(family.rawValue) load-balancer addresses; add one")
      }
    }
    texts += unsettledAddresses(of: service, view).map { address in
      "\(address) is an endpoint of it that is ready and another that is not, as host-network pods of one node can be: "
        + "kube-proxy uses the address or does not, and which is undefined; here it is used"
    }
    return texts.map { ServiceFinding(service.id, service.location, $0) }
  }
}

/// Of entries with one address kube-proxy keeps one.
private func unsettledAddresses(of service: Service, _ view: ProxyView) -> [IPAddress] {
  let members = view.slices(of: service).flatMap(\.members)
  let ready = Set(members.filter(\.isReady).map(\.address))
  return Set(members.filter { !$0.isReady && ready.contains($0.address) }.map(\.address)).sorted()
}
