internal import Algorithms
internal import NetpolModel
internal import OrderedCollections

/// Features that the lab does not model, and the objects of the input that use them.
struct UnmodelledFeatures {
  enum Feature: String, CaseIterable {
    case hostPort = "hostPort"
    case ipvs = "a service proxy with IPVS"
    case serviceLoadBalancer = "servicelb (svclb pods)"
    case nodeLocalDNS = "NodeLocal DNS"
  }

  /// By feature, then by object: how a note names the object.
  private var finds: [Feature: OrderedDictionary<String, String>] = [:]

  func uses(_ feature: Feature) -> Bool { finds[feature]?.isEmpty == false }

  /// One warning for each feature found.
  var notes: [Note] {
    Feature.allCases.compactMap { feature in
      finds[feature].flatMap { $0.isEmpty ? nil : $0 }.map {
        Note(
          .warning, "\(feature.rawValue) is not modelled, and no verdict covers it: \($0.values.elements.abridged())")
      }
    }
  }

  /// Examines a pod, or a workload's template. Forgets what an earlier object of this name used.
  mutating func look(at spec: PodSpec, of kind: String, _ id: NamespacedName) {
    let title = "\(kind) \(id)"
    for feature in finds.keys { finds[feature]?[title] = nil }
    if !spec.hostPorts.isEmpty {
      note(.hostPort, title, "\(title) (\(spec.hostPorts.map { "\($0.port.port)" }.joined(separator: ", ")))")
    }
    if id.name.hasPrefix("svclb-") { note(.serviceLoadBalancer, title) }
    if id.name.hasPrefix("node-local-dns") || spec.containers.contains(where: { $0.image.contains("node-cache") }) {
      note(.nodeLocalDNS, title)
    }
    if spec.containers.contains(where: \.usesIPVS) { note(.ipvs, title) }
  }

  /// Looks for `mode: ipvs` in a kube-proxy configuration.
  mutating func look(atConfigMap object: ManifestObject) {
    guard let name = try? object.metadata?["name"]?.string(), name.contains("kube-proxy"),
      let data = try? object.root["data"]?.stringMap()
    else { return }
    let lines = data.values.flatMap { $0.split(whereSeparator: \.isNewline) }
    let modes = lines.map { $0.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" } }
    if modes.contains("mode:ipvs") { note(.ipvs, "ConfigMap \(name)") }
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
}
