internal import NetpolModel
internal import Text

/// What a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) in a ConfigMap says, as far as it decides where
/// packets go.
struct KubeProxyConfiguration {
  private(set) var mode = ""
  private(set) var flags = KubeProxyFlags()

  /// `data` are the ConfigMap's. Throws what kube-proxy would refuse to start with.
  init(_ data: [(name: String, field: Field)]) throws(ManifestError) {
    for (_, field) in data {
      let text = try field.string()
      guard Self.isIn(text) else { continue }
      do { try read(text) } catch {
        let place = [error.location.map { "line \($0.line)" }, error.field].compactMap(\.self).joined(separator: ", ")
        throw field.error("kube-proxy's configuration can't be read: \(place): \(error.problem)", error.remedy)
      }
    }
  }

  /// Whether a text is one.
  static func isIn(_ text: String) -> Bool {
    text.contains("KubeProxyConfiguration") || text.contains("kubeproxy.config.k8s.io/")
  }

  private mutating func read(_ text: String) throws(ManifestError) {
    var documents = try Documents(ManifestSource(name: "config.conf", text: text).normalized())
    guard let root = try documents.next() else { return }
    let fields = try Field(root, path: "", subject: Subject(file: "config.conf")).fields()
    if let word = fields.nonEmpty("mode") {
      mode = try word.string()
      guard ["iptables", "ipvs", "nftables"].contains(mode) else {
        throw word.error("\(mode.quoted) is no mode of kube-proxy", "write iptables, nftables or ipvs")
      }
    }
    let section = try fields[mode == "nftables" ? "nftables" : "iptables"]?.fields()
    flags.masqueradeAll = try section?["masqueradeAll"]?.bool() ?? false
    if let networks = fields["clusterCIDR"] { flags.knowsClusterCIDR = try !networks.string().isEmpty }
    if let local = try fields["iptables"]?.fields()["localhostNodePorts"]?.bool() { flags.localhostNodePorts = local }
    for network in try fields["nodePortAddresses"]?.list() ?? [] {
      if try network.string() == "primary" {
        flags.nodePortsAtPrimary = true
        continue
      }
      flags.nodePortAddresses.append(try network.cidr())
    }
  }
}
