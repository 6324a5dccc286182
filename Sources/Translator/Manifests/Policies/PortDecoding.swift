internal import NetpolModel

extension PolicyDecoder {
  mutating func portRule(_ field: Field) throws(ManifestError) -> NetworkPolicy.PortRule {
    let fields = try field.fields()
    let transport = try fields["protocol"]?.transport() ?? .tcp
    let end = fields["endPort"]
    guard let port = fields["port"] else {
      if let end, validation == .apiServer {
        throw end.error("may not be given without port", "give port, the first of the range")
      }
      return NetworkPolicy.PortRule(transport)
    }
    switch try port.portReference(validation) {
    case .name(let name):
      if let end, validation == .apiServer {
        throw end.error("may not be given with a port's name", "give port as a number, or remove endPort")
      }
      return NetworkPolicy.PortRule(transport, .name(name))
    case .number(let first):
      guard let end else { return NetworkPolicy.PortRule(transport, .number(first, through: nil)) }
      let last = try end.port()
      if last < first, validation == .apiServer {
        throw end.error("\(last) is below port \(first)", "give \(first) or more, or swap the two")
      }
      return NetworkPolicy.PortRule(transport, .number(first, through: last))
    }
  }
}
