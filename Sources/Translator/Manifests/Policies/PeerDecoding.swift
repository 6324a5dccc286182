internal import NetpolModel
internal import Text

extension PolicyDecoder {
  mutating func peer(_ field: Field) throws(ManifestError) -> NetworkPolicy.Peer {
    let fields = try field.fields()
    let pods = fields["podSelector"]
    let namespaces = fields["namespaceSelector"]
    if let block = fields["ipBlock"] {
      if pods != nil || namespaces != nil {
        throw field.error("may not specify both ipBlock and another peer", "use a separate list entry for each")
      }
      return .block(try ipBlock(block))
    }
    if pods == nil, namespaces == nil {
      throw field.error("must specify a peer", "write podSelector: {} for every pod of the policy's namespace")
    }
    var scope = NetworkPolicy.NamespaceScope.own
    if let namespaces { scope = .matching(try namespaces.selector(validation)) }
    return .pods(
      in: scope,
      matching: try pods.map { (field) throws(ManifestError) in try field.selector(validation) } ?? .everything)
  }

  private mutating func ipBlock(_ field: Field) throws(ManifestError) -> NetworkPolicy.IPBlock {
    let fields = try field.fields()
    let cidr = try self.cidr(try fields.required("cidr", "write 0.0.0.0/0 for every IPv4 address"))
    var excepts: [CIDR] = []
    for entry in try fields["except"]?.list() ?? [] {
      let except = try self.cidr(entry)
      if validation == .apiServer, !cidr.contains(except) || cidr == except {
        throw entry.error(
          "\(except) must be a strict subset of cidr \(cidr)",
          cidr == except ? "remove the peer, because nothing is left of it" : "remove it, or widen cidr")
      }
      excepts.append(except)
    }
    return NetworkPolicy.IPBlock(cidr, except: excepts)
  }

  /// Where the entries of a peer's `except` are written.
  func exceptLocations(_ peer: Field) throws(ManifestError) -> [SourceLocation] {
    try peer.fields()["ipBlock"]?.fields()["except"]?.list().map(\.location) ?? []
  }

  private mutating func cidr(_ field: Field) throws(ManifestError) -> CIDR {
    let cidr = try field.cidr()
    if try field.hasHostBits() {
      warn("\(field.error("\(try field.string().quoted) has host bits set and means \(cidr)"))")
    }
    return cidr
  }
}
