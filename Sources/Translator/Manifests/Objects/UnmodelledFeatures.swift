internal import Algorithms
internal import NetpolModel

/// Features that the lab does not model, and the objects of the input that use them.
struct UnmodelledFeatures {
  enum Feature: String, CaseIterable {
    case hostPort = "hostPort"
    case ipvs = "a service proxy with IPVS"
    case serviceLoadBalancer = "servicelb (svclb pods)"
    case nodeLocalDNS = "NodeLocal DNS"
  }

  private var finds: [Feature: [String]] = [:]

  /// One warning for each feature found.
  var notes: [Note] {
    Feature.allCases.compactMap { feature in
      finds[feature].map {
        Note(.warning, "\(feature.rawValue) is not modelled, and no verdict covers it: \($0.abridged())")
      }
    }
  }

  /// Examines a pod, or a workload's template.
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

  /// Looks for `mode: ipvs` in a kube-proxy configuration.
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
  /// kube-router uses IPVS unless it is turned off (`--run-service-proxy`, "default true"). kube-proxy uses it if asked
  /// to.
  fileprivate var usesIPVS: Bool {
    let program = image.split(separator: "/").last ?? ""
    if program.hasPrefix("kube-router") { return !words.contains("--run-service-proxy=false") }
    let asks = words.contains("--proxy-mode=ipvs")
    return asks || words.adjacentPairs().contains { $0 == "--proxy-mode" && $1 == "ipvs" }
  }
}
