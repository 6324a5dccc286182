internal import Algorithms
internal import NetpolModel
internal import Text

/// What the reader takes from a pod's spec, or from a template's spec.
struct PodSpec: Hashable {
  struct Container: Hashable {
    let name: String
    let image: String
    /// `command` and `args`.
    let words: [String]
    /// The variables of `env` that have a value.
    let environment: [String: String]

    /// Used only for notes, so a wrong type here is not an error. The API server would report it.
    init(_ fields: Fields) {
      let text = { (name: String) in (try? fields[name]?.string()) ?? "" }
      let words = { (name: String) in (try? fields[name]?.strings()) ?? [] }
      name = text("name")
      image = text("image")
      self.words = words("command") + words("args")
      let variables = ((try? fields["env"]?.list()) ?? []).compactMap { entry -> (String, String)? in
        guard let variable = try? entry.fields(), let name = try? variable["name"]?.string(),
          let value = try? variable["value"]?.string()
        else { return nil }
        return (name, value)
      }
      environment = Dictionary(variables) { _, last in last }
    }
  }

  var nodeName: String?
  /// `kubernetes.io/hostname` in `nodeSelector`.
  var hostname: String?
  /// The other labels that `nodeSelector` asks for, without those that every node of a cluster has.
  var nodeSelector: Labels = [:]
  var hostNetwork = false
  /// Ports of the containers, then those of sidecars.
  var ports: [ContainerPort] = []
  /// Without those of pods on their node's network, which need no translation.
  var hostPorts: [HostPort] = []
  /// Those of sidecars, since kubelet asks the network plugin for those of `containers` only, and those with a `hostIP`
  /// that is no address.
  var unmappedHostPorts: [HostPort] = []
  var containers: [Container] = []
  /// The addresses that NodeLocal DNS binds on its node, as its arguments state them. `nil` if it is something else.
  var localDNSHasNoRules: Bool { containers.contains { $0.localDNS != nil && $0.turnsOff("setupiptables") } }
  var isSpeaker: Bool { containers.contains { $0.image.contains("metallb/speaker") } }
  var localDNS: [String]? { hostNetwork ? containers.firstNonNil(\.localDNS) : nil }
  var hasUnusableBalancer: Bool {
    containers.contains { container in
      ["SRC_PORT", "DEST_PORT"].contains { container.environment[$0] != nil } && KlipperContainer(container) == nil
    }
  }
  var balancers: [KlipperContainer] { containers.compactMap(KlipperContainer.init) }
  /// Known by the init containers that meshes put into pods.
  var mesh: Mesh?

  init(_ field: Field?, _ validation: Validation) throws(ManifestError) {
    guard let fields = try field?.fields() else { return }
    nodeName = try fields["nodeName"]?.string()
    if nodeName == "" { nodeName = nil }
    let selector = try fields["nodeSelector"]?.fields()
    hostname = try selector?["kubernetes.io/hostname"]?.string()
    nodeSelector = ((try? fields["nodeSelector"]?.stringMap()) ?? [:]).filter { !Self.usualLabels.contains($0.key) }
    hostNetwork = try fields["hostNetwork"]?.bool() ?? false
    if validation == .apiServer { try checkContainers(fields) }
    for field in try fields["containers"]?.list() ?? [] {
      let container = try field.fields()
      try readPorts(of: container, isSidecar: false, validation)
      containers.append(Container(container))
    }
    let added = try fields["initContainers"]?.list() ?? []
    mesh = added.compactMap { try? $0.fields()["name"]?.string() }.firstNonNil { Self.meshContainers[$0] }
    for field in added {
      let container = try field.fields()
      guard try container["restartPolicy"]?.string() == "Always" else { continue }
      try readPorts(of: container, isSidecar: true, validation)
    }
  }

  private static let usualLabels: Set<String> = [
    "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
  ]

  /// Whether `nodeSelector` admits a node. A node without any label is one of which the input says nothing.
  func admits(_ node: Node) -> Bool {
    node.labels.isEmpty || nodeSelector.allSatisfy { node.labels[$0.key] == $0.value }
  }

  /// The init containers that redirect a pod's connections, or check that a CNI plugin did. A proxy alone redirects
  /// nothing: a gateway has one too.
  private static let meshContainers: [String: Mesh] = [
    "istio-init": .istio, "istio-validation": .istio, "linkerd-init": .linkerd, "linkerd-network-validator": .linkerd,
    "kuma-init": .kuma, "kuma-validation": .kuma, "consul-connect-inject-init": .consul,
  ]

  private func checkContainers(_ fields: Fields) throws(ManifestError) {
    var checks = ContainerChecks(hostNetwork: hostNetwork)
    for name in ["containers", "initContainers"] {
      for field in try fields[name]?.list() ?? [] { try checks.check(try field.fields()) }
    }
  }

  private mutating func readPorts(of container: Fields, isSidecar: Bool, _ validation: Validation) throws(ManifestError)
  {
    for entry in try container["ports"]?.list() ?? [] {
      let port = try entry.fields()
      let number = try port.required("containerPort", "give a number from 1 to 65535").port()
      let transport = try port.nonEmpty("protocol")?.transport() ?? .tcp
      var name = try port["name"]?.string()
      if name == "" { name = nil }
      if validation == .apiServer, let field = port["name"], let name, !NameSyntax.isPortName(name) {
        throw field.error(
          "\(name.quoted) is not a valid port name",
          "use at most 15 of a-z, 0-9 and single inner '-', with at least one letter")
      }
      ports.append(ContainerPort(name: name, number: number, transport: transport, isOfSidecar: isSidecar))
      if case .integer(let host) = port["hostPort"]?.scalar, let host = UInt16(exactly: host), host > 0, !hostNetwork {
        let text = try port.nonEmpty("hostIP")?.string()
        let address = text.flatMap { IPAddress($0) }
        let hostPort = HostPort(TransportPort(transport, host), at: address, to: number)
        // portmap makes no rule for a hostIP that is no address.
        if isSidecar || text != nil && address == nil {
          unmappedHostPorts.append(hostPort)
        } else {
          hostPorts.append(hostPort)
        }
      }
    }
  }
}
