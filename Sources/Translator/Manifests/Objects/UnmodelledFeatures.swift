internal import Algorithms
internal import NetpolModel
internal import OrderedCollections

/// Features that the lab or a cluster leaves out, and the objects of the input that use them.
struct UnmodelledFeatures {
  enum Feature: String, CaseIterable {
    case ipvs = "a service proxy with IPVS"
    case ebpf = "a service proxy with eBPF"
    case mesh = "a service mesh"
    case serviceLoadBalancer = "servicelb (svclb pods)"
    case nodeLocalDNS = "NodeLocal DNS"
    case sidecarHostPort = "hostPort of a sidecar"

    fileprivate var remark: String {
      // As kubelet does.
      self == .sidecarHostPort
        ? "leads nowhere, because only those of spec.containers are mapped"
        : "is not modelled, and no verdict covers it"
    }
  }

  /// By feature, then by object: how a note names the object.
  private var finds: [Feature: OrderedDictionary<String, String>] = [:]

  private func uses(_ feature: Feature) -> Bool { finds[feature]?.isEmpty == false }

  /// One warning for each feature found.
  var notes: [Note] {
    Feature.allCases.compactMap { feature in
      finds[feature].flatMap { $0.isEmpty ? nil : $0 }.map {
        Note(.warning, "\(feature.rawValue) \(feature.remark): \($0.values.elements.abridged())")
      }
    }
  }

  /// Examines a pod, or a workload's template. Forgets what an earlier object of this name used.
  mutating func look(at spec: PodSpec, of kind: String, _ id: NamespacedName) {
    let title = "\(kind) \(id)"
    for feature in finds.keys { finds[feature]?[title] = nil }
    if !spec.unmappedHostPorts.isEmpty {
      let ports = spec.unmappedHostPorts.map { "\($0.port.port)" }.joined(separator: ", ")
      note(.sidecarHostPort, title, "\(title) (\(ports))")
    }
    if let mesh = spec.mesh { note(.mesh, title, "\(title) (\(mesh.rawValue))") }
    if id.name.hasPrefix("svclb-") { note(.serviceLoadBalancer, title) }
    if id.name.hasPrefix("node-local-dns") || spec.containers.contains(where: { $0.image.contains("node-cache") }) {
      note(.nodeLocalDNS, title)
    }
    if spec.containers.contains(where: \.usesIPVS) { note(.ipvs, title) }
    if spec.containers.contains(where: \.isCalicoWithEBPF) { note(.ebpf, title, "\(title) (Calico)") }
  }

  /// Looks for `mode: ipvs` in a kube-proxy configuration, and for `kube-proxy-replacement` in one of Cilium.
  mutating func look(atConfigMap object: ManifestObject) {
    guard let name = try? object.metadata?["name"]?.string(), let data = try? object.root["data"]?.stringMap() else {
      return
    }
    if name == "cilium-config", let value = data["kube-proxy-replacement"], ["true", "strict"].contains(value) {
      note(.ebpf, "ConfigMap \(name)", "ConfigMap \(name) (Cilium)")
    }
    guard name.contains("kube-proxy") else { return }
    let lines = data.values.flatMap { $0.split(whereSeparator: \.isNewline) }
    let modes = lines.map { $0.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" } }
    if modes.contains("mode:ipvs") { note(.ipvs, "ConfigMap \(name)") }
  }

  /// What the input shows. kube-proxy's iptables mode is the default.
  var serviceProxy: ServiceProxyKind {
    if uses(.ebpf) {
      let isCalicos = finds[.ebpf]?.values.first?.hasSuffix("(Calico)") == true
      return .ebpf(isCalicos ? "Calico" : "Cilium")
    }
    return uses(.ipvs) ? .ipvs : .iptables
  }

  private mutating func note(_ feature: Feature, _ title: String, _ text: String? = nil) {
    finds[feature, default: [:]][title] = text ?? title
  }
}

extension PodSpec.Container {
  /// kube-router uses IPVS unless it is turned off (`--run-service-proxy`, "default true"). kube-proxy uses it if asked
  /// to.
  fileprivate var usesIPVS: Bool {
    let program = image.split(separator: "/").last ?? ""
    if program.hasPrefix("kube-router") { return !words.contains("--run-service-proxy=false") }
    let asks = words.contains("--proxy-mode=ipvs")
    return asks || words.adjacentPairs().contains { $0 == "--proxy-mode" && $1 == "ipvs" }
  }

  /// Calico translates services itself with `FELIX_BPFENABLED`.
  fileprivate var isCalicoWithEBPF: Bool {
    image.contains("calico/node") && environment["FELIX_BPFENABLED"]?.lowercased() == "true"
  }
}
