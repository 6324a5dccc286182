internal import NetpolModel
internal import YAMLText

extension Service {
  var document: String {
    var spec: [(String, YAML)] = [("type", .string(kind.rawValue))]
    if let externalName { spec.append(("externalName", .string(externalName))) }
    if kind != .externalName {
      spec.append(("clusterIP", clusterIPs.first.map { .string($0.description) } ?? "None"))
      if !clusterIPs.isEmpty { spec.append(("clusterIPs", clusterIPs.yaml)) }
    }
    if let selector { spec.append(("selector", selector.yaml)) }
    spec.append(("ports", .list(ports.map(\.yaml))))
    if !externalIPs.isEmpty { spec.append(("externalIPs", externalIPs.yaml)) }
    if externalTrafficPolicy != .cluster { spec.append(("externalTrafficPolicy", "Local")) }
    if internalTrafficPolicy != .cluster { spec.append(("internalTrafficPolicy", "Local")) }
    if let trafficDistribution {
      let isByNode = trafficDistribution == .preferSameNode
      spec.append(("trafficDistribution", .string(isByNode ? "PreferSameNode" : "PreferSameZone")))
    }
    if let healthCheckNodePort { spec.append(("healthCheckNodePort", .number(Int(healthCheckNodePort)))) }
    if hasClientAffinity { spec.append(("sessionAffinity", "ClientIP")) }
    if publishesNotReadyAddresses { spec.append(("publishNotReadyAddresses", .bool(true))) }
    if !loadBalancerSourceRanges.isEmpty { spec.append(("loadBalancerSourceRanges", loadBalancerSourceRanges.yaml)) }
    // NodePorts are either written out or must not be allocated.
    if kind == .loadBalancer, ports.contains(where: { $0.nodePort == nil }) {
      spec.append(("allocateLoadBalancerNodePorts", .bool(false)))
    }
    var fields = [metadata(id), ("spec", YAML.mapping(spec))]
    if !loadBalancerIPs.isEmpty {
      let ingress = loadBalancerIPs.map { entry in
        YAML.mapping(
          [("ip", .string(entry.address.description))] + (entry.isProxied ? [("ipMode", YAML.string("Proxy"))] : []))
      }
      fields.append(("status", .mapping([("loadBalancer", .mapping([("ingress", .list(ingress))]))])))
    }
    return object("v1", "Service", fields)
  }
}

extension Service.Port {
  fileprivate var yaml: YAML {
    var entries: [(String, YAML)] = []
    if let name { entries.append(("name", .string(name))) }
    entries.append(("port", .number(Int(port))))
    entries.append(("targetPort", targetPort.yaml))
    if transport != .tcp { entries.append(("protocol", .string(transport.rawValue))) }
    if let nodePort { entries.append(("nodePort", .number(Int(nodePort)))) }
    return .mapping(entries)
  }
}

extension PortReference {
  fileprivate var yaml: YAML {
    switch self {
    case .number(let number): .number(Int(number))
    case .name(let name): .string(name)
    }
  }
}

extension EndpointSlice {
  var document: String {
    object(
      "discovery.k8s.io/v1", "EndpointSlice",
      [
        metadata(id, labels: ["kubernetes.io/service-name": service]), ("addressType", .string(family.rawValue)),
        ("ports", .list(ports.map(\.yaml))), ("endpoints", .list(members.map(\.yaml))),
      ])
  }
}

extension EndpointSlice.Port {
  fileprivate var yaml: YAML {
    var entries: [(String, YAML)] = []
    if let name { entries.append(("name", .string(name))) }
    return .mapping(entries + [("port", .number(Int(port))), ("protocol", .string(transport.rawValue))])
  }
}

extension EndpointSlice.Member {
  fileprivate var yaml: YAML {
    var entries: [(String, YAML)] = [("addresses", .list([.string(address.description)]))]
    entries.append(
      (
        "conditions",
        .mapping([("ready", .bool(isReady)), ("serving", .bool(isServing)), ("terminating", .bool(isTerminating))])
      ))
    if let node { entries.append(("nodeName", .string(node))) }
    let hints = [("forZones", zoneHints), ("forNodes", nodeHints)].filter { !$0.1.isEmpty }
    if !hints.isEmpty {
      let lists = hints.map { field, names in
        (field, YAML.list(names.sorted().map { .mapping([("name", .string($0))]) }))
      }
      entries.append(("hints", .mapping(lists)))
    }
    if let pod {
      let target: [(String, YAML)] = [
        ("kind", "Pod"), ("namespace", .string(pod.namespace)), ("name", .string(pod.name)),
      ]
      entries.append(("targetRef", .mapping(target)))
    }
    return .mapping(entries)
  }
}
