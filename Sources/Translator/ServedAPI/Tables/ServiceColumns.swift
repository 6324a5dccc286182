internal import Text

extension TableColumn {
  static let ofServices: [TableColumn] = [
    .name,
    TableColumn(text: "Type", "How the service is exposed.") { $0.text("spec", "type", otherwise: "ClusterIP") },
    TableColumn(text: "Cluster-IP", "The service's first address in the cluster.") { service in
      service.values("spec", "clusterIPs").first?.string ?? service.text("spec", "clusterIP", otherwise: "<none>")
    },
    TableColumn(text: "External-IP", "The service's addresses outside the cluster.") { $0.externalAddresses },
    TableColumn(text: "Port(s)", "The service's ports, and the nodes' ports for them.") { service in
      let ports = service.values("spec", "ports").map { port in
        let nodePort = port["nodePort"]?.integer ?? 0
        return "\(port["port"]?.integer ?? 0)" + (nodePort > 0 ? ":\(nodePort)" : "")
          + "/\(port["protocol"]?.string ?? "TCP")"
      }
      return ports.isEmpty ? "<none>" : ports.joined(separator: ",")
    },
    .age,
    TableColumn(text: "Selector", isWide: true, "The labels of the service's pods.") {
      SelectorText.labels($0.json[["spec", "selector"]])
    },
  ]

  static let ofEndpoints: [TableColumn] = [
    .name,
    TableColumn(text: "Endpoints", "The addresses and ports of the service's pods.") { endpoints in
      let subsets = endpoints.values("subsets")
      return subsets.isEmpty ? "<none>" : subsets.flatMap(\.addressesWithPorts).firstThree
    },
    .age,
  ]

  static let ofEndpointSlices: [TableColumn] = [
    .name,
    TableColumn(text: "AddressType", "The kind of the endpoints' addresses.") { $0.text("addressType") },
    TableColumn(text: "Ports", "The endpoints' ports.") { slice in
      unsetIfEmpty(
        slice.values("ports").map { port in
          port["port"]?.integer.map(String.init) ?? port["name"]?.string ?? "*"
        })
    },
    TableColumn(text: "Endpoints", "The endpoints' addresses.") { slice in
      unsetIfEmpty(slice.values("endpoints").flatMap { $0["addresses"]?.array.compactMap(\.string) ?? [] })
    },
    .age,
  ]

  private static func unsetIfEmpty(_ texts: [String]) -> String { texts.isEmpty ? "<unset>" : texts.firstThree }
}

extension TabledObject {
  /// `getServiceExternalIP`. The addresses that a load balancer gave aren't cut, since a server doesn't know whether the
  /// table will be wide.
  fileprivate var externalAddresses: String {
    let own = values("spec", "externalIPs").compactMap(\.string)
    switch text("spec", "type", otherwise: "ClusterIP") {
    case "ClusterIP", "NodePort": return own.isEmpty ? "<none>" : own.joined(separator: ",")
    case "LoadBalancer":
      let given = Set(
        values("status", "loadBalancer", "ingress").compactMap { ingress in
          [ingress["ip"]?.string, ingress["hostname"]?.string].compactMap(\.self).first { !$0.isEmpty }
        })
      let all = given.sorted() + own
      return all.isEmpty ? "<pending>" : all.joined(separator: ",")
    case "ExternalName": return text("spec", "externalName")
    default: return "<unknown>"
    }
  }
}

extension JSON {
  /// Of a subset of Endpoints. It may have no ports, for a headless service.
  fileprivate var addressesWithPorts: [String] {
    let addresses = self["addresses"]?.array.compactMap { $0["ip"]?.string } ?? []
    let ports = self["ports"]?.array ?? []
    if ports.isEmpty { return addresses }
    return ports.flatMap { port in
      addresses.map { "\($0.contains(":") ? "[\($0)]" : $0):\(port["port"]?.integer ?? 0)" }
    }
  }
}
