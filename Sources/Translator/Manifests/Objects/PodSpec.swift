internal import NetpolModel
internal import Text

/// What the reader takes from a pod's spec, or from a template's spec.
struct PodSpec: Hashable {
  struct Container: Hashable {
    let name: String
    let image: String
    /// `command` and `args`.
    let words: [String]

    /// Used only for notes, so a wrong type here is not an error. The API server would report it.
    init(_ fields: Fields) {
      let text = { (name: String) in (try? fields[name]?.string()) ?? "" }
      let words = { (name: String) in (try? fields[name]?.strings()) ?? [] }
      name = text("name")
      image = text("image")
      self.words = words("command") + words("args")
    }
  }

  var nodeName: String?
  /// `kubernetes.io/hostname` in `nodeSelector`.
  var hostname: String?
  var hostNetwork = false
  /// Ports of the containers, then those of sidecars.
  var ports: [ContainerPort] = []
  /// Without those of pods on their node's network, which need no translation.
  var hostPorts: [HostPort] = []
  var containers: [Container] = []

  init(_ field: Field?, _ validation: Validation) throws(ManifestError) {
    guard let fields = try field?.fields() else { return }
    nodeName = try fields["nodeName"]?.string()
    if nodeName == "" { nodeName = nil }
    hostname = try fields["nodeSelector"]?.fields()["kubernetes.io/hostname"]?.string()
    hostNetwork = try fields["hostNetwork"]?.bool() ?? false
    if validation == .apiServer { try checkContainers(fields) }
    for field in try fields["containers"]?.list() ?? [] {
      let container = try field.fields()
      try readPorts(of: container, isSidecar: false, validation)
      containers.append(Container(container))
    }
    for field in try fields["initContainers"]?.list() ?? [] {
      let container = try field.fields()
      guard try container["restartPolicy"]?.string() == "Always" else { continue }
      try readPorts(of: container, isSidecar: true, validation)
    }
  }

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
        let address = (try port.nonEmpty("hostIP")?.string()).flatMap { IPAddress($0) }
        hostPorts.append(HostPort(TransportPort(transport, host), at: address))
      }
    }
  }
}
