internal import NetpolModel
internal import Text

/// `spec.ports` of a Service: the defaults of `SetDefaults_Service` and the checks of `ValidateService`. If there are
/// several ports, each needs a name of its own, even with `asStored`: every API server asks for it, and kube-proxy names
/// its chains after it.
struct ServicePorts {
  private(set) var ports: [Service.Port] = []
  /// The `nodePort` fields, by index of the port.
  private(set) var nodePorts: [Int: Field] = [:]
  private let kind: Service.Kind
  private let validation: Validation

  init(_ field: Field?, _ kind: Service.Kind, _ validation: Validation) throws(ManifestError) {
    self.kind = kind
    self.validation = validation
    let entries = try field?.list() ?? []
    for entry in entries { try read(try entry.fields(), isAlone: entries.count == 1) }
  }

  private mutating func read(_ fields: Fields, isAlone: Bool) throws(ManifestError) {
    let number = try fields.required("port", "give a number from 1 to 65535").port()
    var target = PortReference.number(number)
    // SetDefaults_Service: targetPort is the port if it is missing, 0 or "".
    if let field = fields["targetPort"], field.scalar != .integer(0), field.scalar != .string("") {
      target = try field.portReference(validation)
    }
    var name = try fields["name"]?.string()
    if name == "" { name = nil }
    var port = Service.Port(
      name: name, port: number, targetPort: target, transport: try fields.nonEmpty("protocol")?.transport() ?? .tcp)
    try check(port, fields, isAlone: isAlone)
    if let field = fields["nodePort"], field.scalar != .integer(0) {
      let nodePort = try field.port()
      if kind == .nodePort || kind == .loadBalancer {
        port.nodePort = nodePort
        nodePorts[ports.count] = field
      } else if validation == .apiServer {
        throw field.error(
          "may not be given with type \(kind.rawValue)", "remove it, or write type: NodePort or LoadBalancer")
      }
    }
    ports.append(port)
  }

  private func check(_ port: Service.Port, _ fields: Fields, isAlone: Bool) throws(ManifestError) {
    if let name = port.name {
      let field = fields["name"] ?? fields.mapping
      guard validation == .asStored || NameSyntax.isDNSLabel(name) else {
        throw field.error("\(name.quoted) is not a valid port name", "use at most 63 of a-z, 0-9 and inner '-'")
      }
      if ports.contains(where: { $0.name == name }) {
        throw field.error("\(name.quoted) appears twice", "give each port a different name")
      }
    } else if !isAlone {
      throw fields.missing("name", "each port needs a name if there are several")
    }
    if validation == .apiServer, ports.contains(where: { $0.port == port.port && $0.transport == port.transport }) {
      throw (fields["port"] ?? fields.mapping).error(
        "\(TransportPort(port.transport, port.port)) appears twice", "keep one of them")
    }
  }
}
