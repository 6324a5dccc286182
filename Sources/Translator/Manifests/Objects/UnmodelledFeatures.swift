internal import NetpolModel

/// What the lab has no model of, and the objects of the input that ask for it.
struct UnmodelledFeatures {
  enum Feature: String, CaseIterable {
    case hostPort = "hostPort"
    case ipvs = "a service proxy with IPVS"
    case serviceLoadBalancer = "servicelb (svclb pods)"
    case nodeLocalDNS = "NodeLocal DNS"
  }

  private var finds: [Feature: [String]] = [:]

  /// A warning for each feature that was found.
  var notes: [Note] {
    Feature.allCases.compactMap { feature in
      finds[feature].map {
        Note(.warning, "\(feature.rawValue) is not modelled, and no verdict covers it: \($0.abridged())")
      }
    }
  }

  /// Looks at a pod, or at a workload's template.
  mutating func look(at spec: PodSpec, of kind: String, _ id: NamespacedName) {
    let title = "\(kind) \(id)"
    if !spec.hostPorts.isEmpty {
      finds[.hostPort, default: []].append("\(title) (\(spec.hostPorts.map(String.init).joined(separator: ", ")))")
    }
    if id.name.hasPrefix("svclb-") { finds[.serviceLoadBalancer, default: []].append(title) }
    if id.name.hasPrefix("node-local-dns") || spec.containers.contains(where: { $0.image.contains("node-cache") }) {
      finds[.nodeLocalDNS, default: []].append(title)
    }
    if spec.containers.contains(where: \.usesIPVS) { finds[.ipvs, default: []].append(title) }
  }

  /// `mode: ipvs` in a kube-proxy configuration.
  mutating func look(atConfigMap object: ManifestObject) {
    guard let name = try? object.metadata?["name"]?.string(), name.contains("kube-proxy"),
      let data = try? object.root["data"]?.stringMap()
    else { return }
    let lines = data.values.flatMap { $0.split(whereSeparator: \.isNewline) }
    let modes = lines.map { $0.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" } }
    if modes.contains("mode:ipvs") { finds[.ipvs, default: []].append("ConfigMap \(name)") }
  }
}

extension PodSpec.Container {
  /// kube-router sets up IPVS unless told not to (`--run-service-proxy`, "default true"); kube-proxy where asked.
  fileprivate var usesIPVS: Bool {
    let program = image.split(separator: "/").last ?? ""
    if program.hasPrefix("kube-router") { return !words.contains("--run-service-proxy=false") }
    let asks = words.contains("--proxy-mode=ipvs")
    return asks || zip(words, words.dropFirst()).contains { $0 == "--proxy-mode" && $1 == "ipvs" }
  }
}
