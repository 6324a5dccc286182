internal import NetpolModel
internal import Text

/// What the controllers must know of every node at once.
struct NodeState: Hashable, Sendable {
  struct Taint: Hashable, Sendable {
    let key: String
    let value: String
    let effect: String
  }

  let name: String
  let labels: Labels
  let taints: [Taint]
  let isUnschedulable: Bool
  let isMarked: Bool
  let addresses: [IPAddress]
  let podCIDRs: [CIDR]
  var zone: String? { labels["topology.kubernetes.io/zone"] }

  init(_ name: String, _ json: JSON) {
    let spec = json["spec"]
    self.name = name
    labels = json.labels
    taints =
      spec?["taints"]?.array.map { taint in
        Taint(
          key: taint["key"]?.string ?? "", value: taint["value"]?.string ?? "", effect: taint["effect"]?.string ?? "")
      } ?? []
    isUnschedulable = spec?["unschedulable"]?.bool ?? false
    isMarked = json.isMarked
    addresses =
      json["status"]?["addresses"]?.array.compactMap { entry in
        entry["type"] == "InternalIP" ? entry["address"]?.string.flatMap(IPAddress.init) : nil
      } ?? []
    let texts = spec?["podCIDRs"]?.array.compactMap(\.string) ?? []
    podCIDRs = (texts.isEmpty ? [spec?["podCIDR"]?.string].compactMap(\.self) : texts).compactMap { CIDR($0) }
  }

  /// One address of each family, as kubelets report them.
  var reportedAddresses: [IPAddress] {
    var found: [IPAddress] = []
    for address in addresses where !found.contains(where: { $0.family == address.family }) { found.append(address) }
    return found
  }
}

extension NodeState {
  /// Whether a pod may run here. Resources, and other affinities than the required one to nodes, are not looked at.
  func takes(_ pod: JSON, isDaemon: Bool = false) -> Bool {
    if isMarked || isUnschedulable && !isDaemon { return false }
    guard let spec = pod["spec"] else { return true }
    for (key, value) in spec["nodeSelector"]?.strings ?? [:] where labels[key] != value { return false }
    if repels(pod, by: ["NoSchedule", "NoExecute"]) { return false }
    let terms = spec[[
      "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
    ]]
    guard let terms else { return true }
    return terms.array.contains(where: fulfils)
  }

  /// Whether a pod doesn't tolerate one of the taints with an effect.
  func repels(_ pod: JSON, by effects: [String]) -> Bool {
    let taints = taints.filter { effects.contains($0.effect) }
    if taints.isEmpty { return false }
    let tolerations = pod["spec"]?["tolerations"]?.array ?? []
    return taints.contains { taint in !tolerations.contains { taint.isTolerated(by: $0) } }
  }

  /// `v1.NodeSelectorTerm`: one without requirements matches nothing.
  private func fulfils(_ term: JSON) -> Bool {
    let expressions = term["matchExpressions"]?.array ?? []
    let fields = term["matchFields"]?.array ?? []
    if expressions.isEmpty, fields.isEmpty { return false }
    return expressions.allSatisfy { fulfils($0, labels[$0["key"]?.string ?? ""]) }
      && fields.allSatisfy { fulfils($0, $0["key"] == "metadata.name" ? name : nil) }
  }

  private func fulfils(_ requirement: JSON, _ value: String?) -> Bool {
    let values = requirement["values"]?.array.compactMap(\.string) ?? []
    switch requirement["operator"]?.string {
    case "In": return value.map(values.contains) ?? false
    case "NotIn": return !(value.map(values.contains) ?? false)
    case "Exists": return value != nil
    case "DoesNotExist": return value == nil
    case "Gt", "Lt":
      guard let number = value.flatMap({ Int($0) }), let bound = values.first.flatMap({ Int($0) }) else { return false }
      return requirement["operator"] == "Gt" ? number > bound : number < bound
    default: return false
    }
  }
}

extension NodeState.Taint {
  /// `v1.Toleration.ToleratesTaint`.
  fileprivate func isTolerated(by toleration: JSON) -> Bool {
    let text = { (name: String) in toleration[name]?.string ?? "" }
    if !text("effect").isEmpty, text("effect") != effect { return false }
    if !text("key").isEmpty, text("key") != key { return false }
    switch text("operator") {
    case "", "Equal": return !text("key").isEmpty && text("value") == value
    case "Exists": return true
    default: return false
    }
  }
}
