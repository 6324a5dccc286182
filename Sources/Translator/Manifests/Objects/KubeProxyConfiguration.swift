internal import NetpolModel

/// What a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) in a ConfigMap says, as far as it decides where
/// packets go. It is read line by line: kube-proxy has accepted it, and a fault in it is not the user's question.
struct KubeProxyConfiguration {
  private(set) var mode = ""
  private(set) var flags = KubeProxyFlags()

  init(_ data: [String: String]) {
    var masqueradesAll: [String: Bool] = [:]
    for text in data.values.sorted() where text.contains("KubeProxyConfiguration") || text.contains("kubeproxy.config")
    {
      var section = ""
      var isListing = false
      for line in text.split(whereSeparator: \.isNewline) {
        let isInner = line.first?.isWhitespace == true
        let bare = line.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" }
        if bare.hasPrefix("-"), isListing {
          add(bare.dropFirst())
          continue
        }
        isListing = false
        guard let colon = bare.firstIndex(of: ":") else { continue }
        let (key, value) = (bare[..<colon], bare[bare.index(after: colon)...])
        if !isInner { section = String(key) }
        switch (isInner ? section : "", key) {
        case ("", "mode"): mode = String(value)
        case ("", "clusterCIDR"): flags.knowsClusterCIDR = !value.isEmpty
        case ("", "nodePortAddresses"):
          isListing = value.isEmpty
          for network in value.filter({ $0 != "[" && $0 != "]" }).split(separator: ",") { add(network) }
        case ("iptables", "masqueradeAll"), ("nftables", "masqueradeAll"): masqueradesAll[section] = value == "true"
        case ("iptables", "localhostNodePorts"): flags.localhostNodePorts = value != "false"
        default: break
        }
      }
    }
    flags.masqueradeAll = masqueradesAll[mode == "nftables" ? "nftables" : "iptables"] ?? false
  }

  private mutating func add(_ network: some StringProtocol) {
    if network == "primary" { flags.nodePortsAtPrimary = true }
    if let cidr = CIDR(String(network)) { flags.nodePortAddresses.append(cidr) }
  }
}
