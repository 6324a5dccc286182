internal import Algorithms
internal import NetpolModel
internal import OrderedCollections

/// Features that the lab or a cluster leaves out, and the objects of the input that use them.
struct UnmodelledFeatures {
  enum Feature: String, CaseIterable {
    case ipvs = "a service proxy with IPVS"
    case ebpf = "a service proxy with eBPF"
    case mesh = "a service mesh"
    case nodeLocalDNS = "NodeLocal DNS without hostNetwork or -localip"
    case unmappedHostPort = "hostPort of a sidecar, or with an unusable hostIP,"

    fileprivate var remark: String {
      // As kubelet does.
      self == .unmappedHostPort
        ? "leads nowhere: the network plugin maps those of spec.containers with a valid hostIP"
        : "is not modelled, and no verdict covers it"
    }
  }

  /// By feature, then by object: how a note names the object.
  private var finds: [Feature: OrderedDictionary<String, String>] = [:]

  /// By object: the configuration that decides how it translates services.
  private var proxies: OrderedDictionary<String, String> = [:]
  /// Whether a ConfigMap of kube-proxy has no configuration, by name.
  private var isUnreadable: [String: Bool] = [:]
  private var configurations: Set<String> = []
  /// By object: whether it asks for kube-proxy's nftables mode.
  private var asksForNftables: OrderedDictionary<String, Bool> = [:]
  /// By object: the release of kube-proxy that it runs.
  private var releases: OrderedDictionary<String, KubeProxyRelease> = [:]

  /// The oldest release of kube-proxy that runs by its images. `nil` if none is known.
  var kubeProxyRelease: KubeProxyRelease? { releases.values.min() }

  /// kube-proxy's mode, as the input shows it. The release is the oldest of those that run, or the latest if none is
  /// known.
  var kubeProxyMode: KubeProxyMode {
    asksForNftables.values.contains(true) ? .nftables(releases.values.min() ?? .latest) : .iptables
  }

  /// The flags of a kube-proxy configuration in the input.
  private(set) var kubeProxy: KubeProxyFlags?

  /// Programs whose configuration is not in the input.
  private var unknownProxies: [Note] {
    let missing = proxies.filter { !configurations.contains($0.value) }
    return Dictionary(grouping: missing.keys, by: { missing[$0] ?? "" }).sorted { $0.key < $1.key }.map {
      file, titles in
      Note(
        .warning,
        "how \(titles.sorted().abridged()) translates services is in \(file), which is not in the input "
          + "(kubectl get configmap -n kube-system -o yaml); kube-proxy's iptables mode is assumed")
    }
  }

  private func uses(_ feature: Feature) -> Bool { finds[feature]?.isEmpty == false }

  /// One warning for each feature found.
  var notes: [Note] {
    unknownProxies
      + isUnreadable.filter(\.value).keys.sorted().map {
        Note(
          .warning, "ConfigMap \($0) holds no KubeProxyConfiguration: kube-proxy's mode and flags are not known from it"
        )
      }
      + Feature.allCases.compactMap { feature in
        finds[feature].flatMap { $0.isEmpty ? nil : $0 }.map {
          Note(.warning, "\(feature.rawValue) \(feature.remark): \($0.values.elements.abridged())")
        }
      }
  }

  /// Whether something of the object is used.
  static func uses(_ object: ManifestObject) -> Bool {
    guard object.kind == "ConfigMap", let name = try? object.metadata?["name"]?.string() else { return false }
    return name == "cilium-config" || name.contains("kube-proxy")
  }

  /// Examines a pod, or a workload's template. Forgets what an earlier object of this name used.
  mutating func look(at spec: PodSpec, of kind: String, _ id: NamespacedName) {
    let title = "\(kind) \(id)"
    for feature in finds.keys { finds[feature]?[title] = nil }
    proxies[title] = nil
    releases[title] = nil
    asksForNftables[title] = spec.containers.contains { $0.asksForProxyMode("nftables") }
    if !spec.unmappedHostPorts.isEmpty {
      let ports = spec.unmappedHostPorts.map { "\($0.port.port)" }.joined(separator: ", ")
      note(.unmappedHostPort, title, "\(title) (\(ports))")
    }
    if let mesh = spec.mesh { note(.mesh, title, "\(title) (\(mesh.rawValue))") }
    let isCache = id.name.hasPrefix("node-local-dns") || spec.containers.contains { $0.image.contains("node-cache") }
    if isCache, spec.localDNS == nil {
      note(.nodeLocalDNS, title)
    }
    if spec.containers.contains(where: \.usesIPVS) { note(.ipvs, title) }
    for container in spec.containers {
      if let release = container.kubeProxyRelease { releases[title] = release }
      if container.isKubeProxyWithFile { proxies[title] = "ConfigMap kube-system/kube-proxy" }
      if container.image.contains("cilium/cilium") { proxies[title] = "ConfigMap kube-system/cilium-config" }
    }
    if spec.containers.contains(where: \.isCalicoWithEBPF) { note(.ebpf, title, "\(title) (Calico)") }
  }

  /// Looks for `mode: ipvs` in a kube-proxy configuration, and for `kube-proxy-replacement` in one of Cilium.
  mutating func look(atConfigMap object: ManifestObject) throws(ManifestError) {
    guard let name = try? object.metadata?["name"]?.string(), let data = try? object.root["data"]?.stringMap() else {
      return
    }
    configurations.insert("ConfigMap kube-system/\(name)")
    if name == "cilium-config", let value = data["kube-proxy-replacement"], ["true", "strict"].contains(value) {
      note(.ebpf, "ConfigMap \(name)", "ConfigMap \(name) (Cilium)")
    }
    guard name.contains("kube-proxy") else { return }
    isUnreadable[name] = name == "kube-proxy" && !data.values.contains(where: KubeProxyConfiguration.isIn)
    let configuration = try KubeProxyConfiguration(try object.root["data"]?.fields().map { $0 } ?? [])
    asksForNftables["ConfigMap \(name)"] = configuration.mode == "nftables"
    if configuration.mode == "ipvs" { note(.ipvs, "ConfigMap \(name)") }
    kubeProxy = configuration.flags
  }

  /// Looks for `bpfEnabled` in a configuration of Calico.
  mutating func look(atFelix object: ManifestObject) {
    guard let spec = try? object.root["spec"]?.fields(), (try? spec["bpfEnabled"]?.bool()) == true else { return }
    note(.ebpf, "FelixConfiguration", "FelixConfiguration (Calico)")
  }

  /// What the input shows. kube-proxy is the default.
  var serviceProxy: ServiceProxyKind {
    if uses(.ebpf) {
      let isCalicos = finds[.ebpf]?.values.first?.hasSuffix("(Calico)") == true
      return .ebpf(isCalicos ? "Calico" : "Cilium")
    }
    return uses(.ipvs) && !kubeProxyMode.isNftables ? .ipvs : .kubeProxy
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
    return asksForProxyMode("ipvs")
  }

  fileprivate func asksForProxyMode(_ mode: String) -> Bool {
    words.contains("--proxy-mode=\(mode)")
      || words.adjacentPairs().contains { $0 == "--proxy-mode" && $1 == mode }
  }

  /// From the tag of the image, such as `registry.k8s.io/kube-proxy:v1.35.2`.
  fileprivate var kubeProxyRelease: KubeProxyRelease? {
    guard let name = image.split(separator: "/").last, name.hasPrefix("kube-proxy"),
      let tag = name.split(separator: ":").dropFirst().first
    else { return nil }
    return KubeProxyRelease(version: tag.prefix { $0 != "@" })
  }

  /// Whether its mode is in a file, as in kubeadm's clusters.
  fileprivate var isKubeProxyWithFile: Bool {
    image.split(separator: "/").last?.hasPrefix("kube-proxy") == true && words.contains { $0.hasPrefix("--config") }
  }

  /// Calico translates services itself with `FELIX_BPFENABLED`.
  fileprivate var isCalicoWithEBPF: Bool {
    image.contains("calico/node") && environment["FELIX_BPFENABLED"]?.lowercased() == "true"
  }
}
