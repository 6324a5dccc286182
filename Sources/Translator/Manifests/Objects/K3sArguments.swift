internal import NetpolModel

/// What the arguments say with which k3s was started on a node: the annotation `k3s.io/node-args`, a JSON list of words.
struct K3sArguments {
  private let words: [String]
  /// By its kubelet's version.
  let isOfK3s: Bool

  /// `nil` if the node doesn't show that it is one of k3s. A wrong type here is no error.
  init?(_ object: ManifestObject) {
    let annotations = try? object.metadata?["annotations"]?.stringMap()
    let info = try? object.root["status"]?.fields()["nodeInfo"]?.fields()
    isOfK3s = (try? info?["kubeletVersion"]?.string())?.contains("+k3s") == true
    let text = annotations?["k3s.io/node-args"]
    guard isOfK3s || text != nil else { return nil }
    words = (text ?? "").split { "[]\", ".contains($0) }.map(String.init)
  }

  func has(_ flag: String) -> Bool { words.contains { $0 == flag || $0 == "\(flag)=true" } }

  /// `--disable servicelb,traefik`. It counts for the whole cluster.
  func disables(_ component: String) -> Bool {
    var isList = false
    for word in words {
      if word.hasPrefix("-") { isList = word == "--disable" || word == "--disable=\(component)" }
      if word == "--disable=\(component)" || isList && word == component { return true }
    }
    return false
  }

  /// `--kube-proxy-arg proxy-mode=nftables`. `nil` if no mode is stated, or one that kube-proxy doesn't have.
  var kubeProxyMode: String? { statedMode.flatMap { ["iptables", "ipvs", "nftables"].contains($0) ? $0 : nil } }

  var statedMode: String? {
    let stated = words.last { $0.contains("proxy-mode=") }?.split(separator: "=").last.map(String.init)
    return stated?.isEmpty == true ? nil : stated
  }
}

extension Inventory {
  /// What k3s's arguments say that the lab doesn't follow.
  var k3sNotes: [Note] {
    let nodes = nodes.values.compactMap { node in node.k3s.map { (node.name, $0) } }.sorted { $0.0 < $1.0 }
    var notes: [Note] = []
    let names = { (isMeant: (K3sArguments) -> Bool) in nodes.filter { isMeant($0.1) }.map(\.0).abridged(to: 5) }
    if nodes.contains(where: { $0.1.has("--disable-network-policy") }) {
      notes.append(
        Note(
          .warning,
          "k3s has --disable-network-policy on \(names { $0.has("--disable-network-policy") }): its own kube-router enforces "
            + "nothing; the rules here are those of --style all the same"))
    }
    if nodes.contains(where: { $0.1.has("--disable-kube-proxy") }) {
      notes.append(
        Note(
          .warning,
          "k3s has --disable-kube-proxy on \(names { $0.has("--disable-kube-proxy") }): what translates Services there is not "
            + "known; kube-proxy is assumed"))
    }
    if nodes.contains(where: { $0.1.statedMode != $0.1.kubeProxyMode }) {
      notes.append(
        Note(
          .warning,
          "k3s's proxy-mode on \(names { $0.statedMode != $0.kubeProxyMode }) is no mode of kube-proxy: it is left aside"
        ))
    }
    let modes = Set(nodes.map { $0.1.kubeProxyMode ?? "iptables" })
    if cluster?.kubeProxyMode == nil, modes.count > 1 {
      let listed = modes.sorted().map { mode in "\(mode) on \(names { ($0.kubeProxyMode ?? "iptables") == mode })" }
      notes.append(
        Note(
          .warning,
          "kube-proxy's mode differs: \(listed.joined(separator: ", ")); here all nodes have the same one; state it with "
            + "kubeProxy in a Cluster document"))
    }
    return notes
  }
}
