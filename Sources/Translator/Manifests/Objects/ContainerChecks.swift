internal import NetpolModel
internal import Text

/// The checks of `ValidatePodSpec` that concern several containers, or a container and its pod.
struct ContainerChecks {
  private struct HostPort: Hashable {
    let port: TransportPort
    let address: String
  }

  private let hostNetwork: Bool
  private var names: Set<String> = []
  private var hostPorts: Set<HostPort> = []

  init(hostNetwork: Bool) { self.hostNetwork = hostNetwork }

  /// Checks a container against those before it. Throws for the first fault.
  mutating func check(_ container: Fields) throws(ManifestError) {
    if let field = container["name"], let name = try? field.string(), !name.isEmpty {
      guard NameSyntax.isDNSLabel(name) else {
        throw field.error("\(name.quoted) is not a valid container name", "use at most 63 of a-z, 0-9 and inner '-'")
      }
      guard names.insert(name).inserted else {
        throw field.error("\(name.quoted) appears twice", "give each container a different name")
      }
    }
    var portNames: Set<String> = []
    for entry in try container["ports"]?.list() ?? [] {
      let port = try entry.fields()
      if let field = port["name"], let name = try? field.string(), !name.isEmpty, !portNames.insert(name).inserted {
        throw field.error("\(name.quoted) appears twice", "give each port of a container a different name")
      }
      try checkHostPort(port)
    }
  }

  private mutating func checkHostPort(_ port: Fields) throws(ManifestError) {
    guard let field = port["hostPort"], field.scalar != .integer(0) else { return }
    let number = try field.port()
    if hostNetwork, let own = try port["containerPort"]?.port(), own != number {
      throw field.error("\(number) differs from containerPort \(own)", "with hostNetwork both must be the same")
    }
    let claim = HostPort(
      port: TransportPort(try port.nonEmpty("protocol")?.transport() ?? .tcp, number),
      address: try port["hostIP"]?.string() ?? "")
    guard hostPorts.insert(claim).inserted else {
      throw field.error("\(claim.port) appears twice as a host port", "give each a different number")
    }
  }
}
