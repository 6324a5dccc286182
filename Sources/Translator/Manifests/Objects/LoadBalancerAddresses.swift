internal import NetpolModel
internal import Text

/// The addresses of a LoadBalancer: from its status, or else what MetalLB's annotation or the spec asks for.
struct LoadBalancerAddresses {
  private(set) var addresses: [Service.LoadBalancerIP] = []
  /// Where the addresses come from, if not from the status.
  private(set) var assumption: String?

  private enum Mode: String, CaseIterable {
    case vip = "VIP"
    case proxy = "Proxy"
  }

  init(_ object: ManifestObject, _ spec: Fields?) throws(ManifestError) {
    let status = try object.root["status"]?.fields()["loadBalancer"]?.fields()
    for entry in try status?["ingress"]?.list() ?? [] {
      let fields = try entry.fields()
      guard let field = fields["ip"], try !field.string().isEmpty else { continue }
      let isProxied = try fields["ipMode"]?.word(Mode.self) == .proxy
      addresses.append(Service.LoadBalancerIP(try field.serviceAddress(), isProxied: isProxied))
    }
    if !addresses.isEmpty { return }
    let annotations = try object.metadata?["annotations"]?.fields()
    for name in ["metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"] where addresses.isEmpty {
      guard let field = annotations?[name] else { continue }
      for text in try field.string().split(separator: ",") {
        let text = text.filter { !$0.isWhitespace }
        guard let address = IPAddress(text), address.obstacle == nil else {
          throw field.error("\(text.quoted) is not a usable Service address", "write one such as 192.168.20.200")
        }
        addresses.append(Service.LoadBalancerIP(address))
      }
      assumption = name
    }
    if addresses.isEmpty, let field = spec?["loadBalancerIP"], try !field.string().isEmpty {
      addresses = [Service.LoadBalancerIP(try field.serviceAddress())]
      assumption = "spec.loadBalancerIP"
    }
  }
}
