internal import NetpolModel
internal import Text

/// What a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) in a ConfigMap says, as far as it decides where
/// packets go. What can't be read is left out: kube-proxy has accepted it, and a fault in it is not the user's question.
struct KubeProxyConfiguration {
  private(set) var mode = ""
  private(set) var flags = KubeProxyFlags()

  init(_ data: [String: String]) {
    for text in data.values.sorted() where text.contains("KubeProxyConfiguration") || text.contains("kubeproxy.config")
    {
      guard let fields = Self.fields(of: text) else { continue }
      if let word = try? fields["mode"]?.string() { mode = word }
      let masqueradesAll = { (section: String) in
        (try? fields[section]?.fields()["masqueradeAll"]?.bool()) ?? false
      }
      flags.masqueradeAll = masqueradesAll(mode == "nftables" ? "nftables" : "iptables")
      if let networks = try? fields["clusterCIDR"]?.string() { flags.knowsClusterCIDR = !networks.isEmpty }
      if let local = try? fields["iptables"]?.fields()["localhostNodePorts"]?.bool() {
        flags.localhostNodePorts = local
      }
      for network in (try? fields["nodePortAddresses"]?.strings()) ?? [] { add(network) }
    }
  }

  private static func fields(of text: String) -> Fields? {
    guard var documents = try? Documents(ManifestSource(name: "config.conf", text: text)),
      let root = try? documents.next()
    else { return nil }
    return try? Field(root, path: "", subject: Subject(file: "config.conf")).fields()
  }

  private mutating func add(_ network: String) {
    if network == "primary" { flags.nodePortsAtPrimary = true }
    if let cidr = CIDR(network) { flags.nodePortAddresses.append(cidr) }
  }
}
