internal import NetpolModel

extension Namespace {
  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    self.init(name: try object.name(validation, NameSyntax.isDNSLabel), labels: try object.labels(validation))
  }
}

extension Node {
  /// Addresses are InternalIPs and then ExternalIPs; `podCIDR` counts where `podCIDRs` is missing.
  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    let spec = try object.root["spec"]?.fields()
    var podCIDRs: [CIDR] = []
    for entry in try spec?["podCIDRs"]?.list() ?? [] { podCIDRs.append(try entry.cidr()) }
    if podCIDRs.isEmpty, let field = spec?["podCIDR"], try !field.string().isEmpty { podCIDRs = [try field.cidr()] }
    var addresses: [String: [IPAddress]] = [:]
    for entry in try object.root["status"]?.fields()["addresses"]?.list() ?? [] {
      let fields = try entry.fields()
      let type = try fields["type"]?.string() ?? ""
      guard type == "InternalIP" || type == "ExternalIP", let address = fields["address"] else { continue }
      addresses[type, default: []].append(try address.address())
    }
    self.init(
      name: try object.name(validation), labels: try object.labels(validation),
      addresses: addresses["InternalIP", default: []] + addresses["ExternalIP", default: []], podCIDRs: podCIDRs,
      location: object.location)
  }
}

extension Service {
  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    let spec = try object.root["spec"]?.fields()
    var ports: [Port] = []
    for entry in try spec?["ports"]?.list() ?? [] {
      let fields = try entry.fields()
      let port = try fields.required("port", "give a number from 1 to 65535").port()
      var target = PortReference.number(port)
      // SetDefaults_Service: the target is the port where it is missing, 0 or "".
      if let field = fields["targetPort"], field.scalar != .integer(0), field.scalar != .string("") {
        target = try field.portReference(validation)
      }
      ports.append(Port(port: port, targetPort: target, transport: try fields["protocol"]?.transport() ?? .tcp))
    }
    self.init(id: try object.id(validation), selector: try spec?["selector"]?.labels(validation), ports: ports)
  }
}
