public import NetpolModel
internal import YAMLText

extension Cluster {
  /// The cluster as YAML documents that read back as the same cluster. This always holds with `asStored`, and otherwise
  /// if an API server would accept the objects. Defaults that a reader adds are left out, but never addresses.
  ///
  /// Source locations and the owners of pods are not written.
  public var manifest: String {
    var documents = [settingsDocument]
    documents += nodes.map(\.document)
    documents += namespaces.map(\.document)
    documents += pods.map(\.document)
    documents += services.map(\.document)
    documents += endpointSlices.map(\.document)
    documents += policies.map(\.document)
    return documents.joined(separator: "---\n")
  }

  private var settingsDocument: String {
    var fields: [(String, YAML)] = [("serviceCIDRs", .list(settings.serviceCIDRs.map { .string($0.description) }))]
    if let networks = settings.clusterCIDRs { fields.append(("clusterCIDRs", networks.yaml)) }
    fields.append(("nodePortRange", .string("\(settings.nodePorts.first)-\(settings.nodePorts.last)")))
    fields.append(("overlay", .string(settings.overlay.rawValue)))
    fields.append(("bridgeNetfilter", .bool(settings.bridgeNetfilter)))
    if let name = settings.loadBalancerAnnouncer { fields.append(("loadBalancerAnnouncer", .string(name))) }
    if let program = settings.loadBalancing { fields.append(("loadBalancer", .string(program.rawValue))) }
    if let isLifted = settings.liftICMPLimits { fields.append(("icmpLimits", isLifted ? "lifted" : "kernel")) }
    // A reader makes one for each balancer with ipMode Proxy.
    let balancers = Set(services.flatMap(\.loadBalancerIPs).filter(\.isProxied).map(\.address))
    let hosts = externalHosts.filter { !balancers.isSuperset(of: $0.addresses) }
    if !hosts.isEmpty { fields.append(("externalHosts", .list(hosts.map(\.yaml)))) }
    if settings.hostPorts != .portmap { fields.append(("hostPorts", .string(settings.hostPorts.rawValue))) }
    if settings.defaultDeny { fields.append(("defaultDeny", .bool(true))) }
    if settings.kubeProxy != KubeProxyFlags() { fields.append(("kubeProxy", settings.kubeProxy.yaml)) }
    return object("netpol-lab/v1alpha1", "Cluster", fields)
  }
}

extension ExternalHost {
  fileprivate var yaml: YAML {
    var entries: [(String, YAML)] = [("name", .string(name)), ("addresses", addresses.yaml)]
    if !networks.isEmpty { entries.append(("networks", networks.yaml)) }
    if routesToPods { entries.append(("routesToPods", .bool(true))) }
    if let routesToServices { entries.append(("routesToServices", .string(routesToServices))) }
    return .mapping(entries)
  }
}

extension Namespace {
  fileprivate var document: String {
    var entries: [(String, YAML)] = [("name", .string(name))]
    let stated = labels.filter { $0.key != "kubernetes.io/metadata.name" }
    if !stated.isEmpty { entries.append(("labels", stated.yaml)) }
    return object("v1", "Namespace", [("metadata", .mapping(entries))])
  }
}

extension Node {
  fileprivate var document: String {
    var entries: [(String, YAML)] = [("name", .string(name))]
    if !labels.isEmpty { entries.append(("labels", labels.yaml)) }
    let stated = addresses.map { YAML.mapping([("type", "InternalIP"), ("address", .string($0.description))]) }
    return object(
      "v1", "Node",
      [
        ("metadata", .mapping(entries)), ("spec", .mapping([("podCIDRs", podCIDRs.yaml)])),
        ("status", .mapping([("addresses", .list(stated))])),
      ])
  }
}

extension Pod {
  /// Always has a phase, because the reader would place a pod without a status.
  fileprivate var document: String {
    var spec: [(String, YAML)] = []
    if let node { spec.append(("nodeName", .string(node))) }
    if hostNetwork { spec.append(("hostNetwork", .bool(true))) }
    var container: [(String, YAML)] = [("name", "c")]
    if !localDNS.isEmpty {
      container.append(("image", "node-cache"))
      container.append(("args", .list(["-localip", .string(localDNS.map(\.description).joined(separator: ","))])))
    }
    let own = ports.filter { !$0.isOfSidecar }
    if !own.isEmpty { container.append(("ports", .list(portList(own)))) }
    spec.append(("containers", .list([.mapping(container)] + forwards.map(\.container))))
    let sidecars = ports.filter(\.isOfSidecar)
    if !sidecars.isEmpty {
      let sidecar: [(String, YAML)] = [
        ("name", "s"), ("restartPolicy", "Always"), ("ports", .list(sidecars.map { $0.yaml() })),
      ]
      spec.append(("initContainers", .list([.mapping(sidecar)])))
    }
    var status: [(String, YAML)] = [("phase", .string(phase.rawValue))]
    if let hostIP { status.append(("hostIP", .string(hostIP.description))) }
    if let podIP { status.append(("podIP", .string(podIP.description))) }
    if !podIPs.isEmpty {
      status.append(("podIPs", .list(podIPs.map { .mapping([("ip", .string($0.description))]) })))
    }
    if !isReady {
      status.append(("conditions", .list([.mapping([("type", "Ready"), ("status", .string("False"))])])))
    }
    return object(
      "v1", "Pod",
      [metadata(id.namespacedName, labels: labels), ("spec", .mapping(spec)), ("status", .mapping(status))])
  }
}

extension PodForward {
  /// A container of klipper-lb that sends on the same.
  fileprivate var container: YAML {
    let environment: [(String, String)] = [
      ("SRC_PORT", "\(port.port)"), ("SRC_RANGES", sourceRanges.map(\.description).joined(separator: ",")),
      ("DEST_PROTO", port.transport.rawValue), ("DEST_PORT", "\(destinationPort)"),
      ("DEST_IPS", destinations.map(\.description).joined(separator: ",")),
    ]
    return .mapping([
      ("name", .string("lb-\(port.transport.keyword)-\(port.port)")),
      (
        "env",
        .list(environment.map { .mapping([("name", .string($0)), ("value", .string($1))]) })
      ),
    ])
  }
}

extension Pod {
  /// The ports of its containers, each host port with the first that it leads to.
  fileprivate func portList(_ ports: [ContainerPort]) -> [YAML] {
    var left = hostPorts
    return ports.map { port in
      let index = left.firstIndex { $0.containerPort == port.number && $0.port.transport == port.transport }
      return port.yaml(index.map { left.remove(at: $0) })
    }
  }
}

extension ContainerPort {
  fileprivate func yaml(_ hostPort: HostPort? = nil) -> YAML {
    var entries: [(String, YAML)] = []
    if let name { entries.append(("name", .string(name))) }
    entries.append(("containerPort", .number(Int(number))))
    if transport != .tcp { entries.append(("protocol", .string(transport.rawValue))) }
    if let hostPort {
      entries.append(("hostPort", .number(Int(hostPort.port.port))))
      if let address = hostPort.address { entries.append(("hostIP", .string(address.description))) }
    }
    return .mapping(entries)
  }
}

extension KubeProxyFlags {
  fileprivate var yaml: YAML {
    var fields: [(String, YAML)] = []
    if case .nftables(let release) = mode {
      fields = [("mode", .string(mode.keyword)), ("version", .string(release.rawValue))]
    }
    return .mapping(
      fields + [
        ("masqueradeAll", .bool(masqueradeAll)),
        ("nodePortAddresses", nodePortsAtPrimary ? .list(["primary"]) : nodePortAddresses.yaml),
        ("localhostNodePorts", .bool(localhostNodePorts)), ("noClusterCIDR", .bool(!knowsClusterCIDR)),
      ])
  }
}
