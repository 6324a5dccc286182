internal import Manifests
internal import NetpolModel
internal import Text

/// The addresses and node ports of Services, which the API server gives them in the request itself.
extension ServedCluster {
  /// Fills in `clusterIP(s)`, `ipFamilies`, `ipFamilyPolicy` and `nodePort`, or takes them from the state before. Throws
  /// `invalid` for what can't be had (`pkg/registry/core/service/storage/alloc.go`).
  mutating func allocate(_ service: inout JSON, before: JSON?) throws(APIStatus) {
    let name = service["metadata"]?["name"]?.string ?? ""
    let refuse = { (field: String, why: String) in
      APIStatus(
        .invalid, "Service \"\(name)\" is invalid: \(field): \(why)", .services, name,
        causes: [.init(reason: "FieldValueInvalid", message: why, field: field)])
    }
    let type = service["spec"]?["type"]?.string ?? "ClusterIP"
    if type == "ExternalName" { return }
    let old = before?["spec"]?["type"] == "ExternalName" ? nil : before?["spec"]
    if let first = old?["clusterIP"], let own = service["spec"]?["clusterIP"], own != "", own != first {
      throw refuse("spec.clusterIPs[0]", "Invalid value: \(own.text): may not change once set")
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] where old?[field] != nil {
      if service["spec"]?[field] == nil || service["spec"]?[field] == "" { service["spec"]?[field] = old?[field] }
    }
    let families = try families(of: service, refuse)
    service[["spec", "ipFamilies"]] = .array(families.map { .string($0 == .v4 ? "IPv4" : "IPv6") })
    let addresses = try clusterIPs(of: service, families, refuse)
    service[["spec", "clusterIPs"]] = .array(addresses.map(JSON.string))
    if let first = addresses.first { service[["spec", "clusterIP"]] = .string(first) }
    try allocateNodePorts(&service, type, old, refuse)
  }

  private func families(
    of service: JSON, _ refuse: (String, String) -> APIStatus
  ) throws(APIStatus) -> [IPFamily] {
    var available: [IPFamily] = []
    for cidr in serviceCIDRs where !available.contains(cidr.family) { available.append(cidr.family) }
    if available.isEmpty { available = [.v4] }
    let stated = (service["spec"]?["ipFamilies"]?.array ?? []).compactMap { entry -> IPFamily? in
      entry == "IPv4" ? .v4 : entry == "IPv6" ? .v6 : nil
    }
    let fromAddresses = (service["spec"]?["clusterIPs"]?.array ?? []).compactMap {
      $0.string.flatMap { IPAddress($0)?.family }
    }
    var families = stated.isEmpty ? (fromAddresses.isEmpty ? [available[0]] : fromAddresses) : stated
    if service["spec"]?["clusterIP"] != "None" || service["spec"]?["selector"] != nil,
      let missing = families.first(where: { !available.contains($0) })
    {
      throw refuse(
        "spec.ipFamilies", "Invalid value: \(missing == .v4 ? "IPv4" : "IPv6"): not configured on this cluster")
    }
    switch service["spec"]?["ipFamilyPolicy"]?.string {
    case "PreferDualStack": families += available.filter { !families.contains($0) }
    case "RequireDualStack":
      families += available.filter { !families.contains($0) }
      if families.count < 2 {
        throw refuse(
          "spec.ipFamilyPolicy", "Invalid value: RequireDualStack: this cluster is not configured for dual-stack")
      }
    default: break
    }
    return families
  }

  private func clusterIPs(
    of service: JSON, _ families: [IPFamily], _ refuse: (String, String) -> APIStatus
  ) throws(APIStatus) -> [String] {
    var stated = (service["spec"]?["clusterIPs"]?.array ?? []).compactMap(\.string)
    if let first = service["spec"]?["clusterIP"]?.string, !first.isEmpty, stated.isEmpty { stated = [first] }
    if stated.first == "None" { return ["None"] }
    let key = ObjectKey(service: service)
    for text in stated {
      guard let address = IPAddress(text), serviceCIDRs.contains(where: { $0.contains(address) }) else {
        throw refuse(
          "spec.clusterIPs[0]", "Invalid value: \"\(text.prefix(60))\": the provided IP is not in the valid range")
      }
      if serviceUse.isTaken(text, besides: key) {
        throw refuse(
          "spec.clusterIPs",
          "Invalid value: [\"\(text)\"]: failed to allocate IP \(text): provided IP is already allocated")
      }
    }
    var addresses = stated
    var pool = ServiceAddressPool(serviceCIDRs)
    let id = NamespacedName(
      service["metadata"]?["namespace"]?.string ?? "", service["metadata"]?["name"]?.string ?? "")
    for family in families.dropFirst(stated.count) {
      guard let free = pool.next(family, for: id, taken: { address in serviceUse.isTaken("\(address)", besides: key) })
      else {
        throw APIStatus(.internalError, "no address is left for Services")
      }
      addresses.append("\(free)")
    }
    return addresses
  }

  private func allocateNodePorts(
    _ service: inout JSON, _ type: String, _ old: JSON?, _ refuse: (String, String) -> APIStatus
  ) throws(APIStatus) {
    let wants =
      type == "NodePort" || type == "LoadBalancer" && service["spec"]?["allocateLoadBalancerNodePorts"] != false
    guard case .array(var ports) = service["spec"]?["ports"] else { return }
    let key = ObjectKey(service: service)
    // What the ports before have.
    var taken: Set<String> = []
    let isTaken = { (transport: String, port: Int) in
      taken.contains("\(transport) \(port)") || serviceUse.isTaken(transport, port, besides: key)
    }
    var pool = NodePortPool(nodePorts)
    for index in ports.indices {
      if !wants {
        if type == "ClusterIP" { ports[index]["nodePort"] = nil }
        continue
      }
      let transport = ports[index]["protocol"]?.string ?? "TCP"
      let before = old?["ports"]?.array.first {
        $0["port"] == ports[index]["port"] && $0["protocol"] == ports[index]["protocol"]
      }
      let stated = ports[index]["nodePort"]?.integer ?? 0
      if stated != 0 {
        guard let number = UInt16(exactly: stated), nodePorts.contains(number) else {
          throw refuse(
            "spec.ports[\(index)].nodePort",
            "Invalid value: \(stated): provided port is not in the valid range. The range of valid ports is \(nodePorts)"
          )
        }
        if isTaken(transport, stated) {
          throw refuse("spec.ports[\(index)].nodePort", "Invalid value: \(stated): provided port is already allocated")
        }
      } else if let kept = before?["nodePort"] {
        ports[index]["nodePort"] = kept
      } else if let free = pool.next(taken: { isTaken(transport, Int($0)) }) {
        ports[index]["nodePort"] = .integer(Int(free))
      } else {
        throw APIStatus(.internalError, "no node port is left")
      }
      taken.insert("\(transport) \(ports[index]["nodePort"]?.integer ?? 0)")
    }
    service[["spec", "ports"]] = .array(ports)
  }
}

extension ObjectKey {
  fileprivate init(service: JSON) {
    self.init(
      .services, service["metadata"]?["namespace"]?.string ?? "", service["metadata"]?["name"]?.string ?? "")
  }
}

extension JSON {
  /// What a Service has of its type before, and its new type can't have, goes if the request didn't change it
  /// (`pkg/registry/core/service/strategy.go`, `dropTypeDependentFields`).
  mutating func dropWhatBelongsToAnotherType(_ before: JSON) {
    let type = self["spec"]?["type"]?.string ?? "ClusterIP"
    if type == before["spec"]?["type"]?.string ?? "ClusterIP" { return }
    var fields: [String] = []
    if type != "LoadBalancer" { fields += ["allocateLoadBalancerNodePorts", "loadBalancerClass"] }
    if type == "ClusterIP" || type == "ExternalName" { fields += ["externalTrafficPolicy", "healthCheckNodePort"] }
    if type == "ExternalName" {
      fields += ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]
    }
    for field in fields where self["spec"]?[field] == before["spec"]?[field] { self["spec"]?[field] = nil }
    guard type == "ClusterIP" || type == "ExternalName" else { return }
    let old = Set((before["spec"]?["ports"]?.array ?? []).compactMap { $0["nodePort"] })
    eachEntry(of: ["spec", "ports"]) { port in
      if let number = port["nodePort"], old.contains(number) { port["nodePort"] = nil }
    }
  }
}
