internal import NetpolModel

extension Namespace {
  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    self.init(name: try object.name(validation, NameSyntax.isDNSLabel), labels: try object.labels(validation))
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
