internal import NetpolModel
internal import Text

/// Decodes NetworkPolicy objects, with the defaults of `SetDefaults_NetworkPolicy` and the checks of
/// `pkg/apis/networking/validation`.
struct PolicyDecoder {
  let validation: Validation
  private(set) var notes: [Note] = []

  init(_ validation: Validation) { self.validation = validation }

  mutating func policy(_ object: ManifestObject) throws(ManifestError) -> NetworkPolicy {
    try policy(object.root, id: PolicyID(try object.id(validation)), metadata: object.metadata)
  }

  mutating func policy(_ root: Fields, id: PolicyID, metadata: Fields?) throws(ManifestError) -> NetworkPolicy {
    _ = try metadata?["labels"]?.labels(validation)
    var policy = NetworkPolicy(
      id: id, isolates: [.ingress], annotations: try metadata?["annotations"]?.stringMap() ?? [:],
      location: root.mapping.location)
    guard let spec = try root["spec"]?.fields() else { return policy }
    policy.podSelector =
      try spec["podSelector"].map { (field) throws(ManifestError) in try field.selector(validation) } ?? .everything
    policy.selectorLocation = spec["podSelector"]?.location
    policy.typesLocation = spec["policyTypes"]?.location
    policy.ingress = try rules(spec, .ingress)
    policy.egress = try rules(spec, .egress)
    policy.statesNoEgress = policy.egress.isEmpty && spec["egress"] != nil
    policy.isolates = try policyTypes(spec) ?? (policy.egress.isEmpty ? [.ingress] : [.ingress, .egress])
    return policy
  }

  /// `nil` if the list is missing or empty, which means the default: "Ingress will always be set and Egress will be set
  /// if the NetworkPolicy has any egress rules".
  private func policyTypes(_ spec: Fields) throws(ManifestError) -> Set<Direction>? {
    guard let field = spec["policyTypes"] else { return nil }
    let types = try field.list()
    if types.count > 2, validation == .apiServer {
      throw field.error("more than two policyTypes", "give Ingress and Egress at most once each")
    }
    let directions = try types.map { (type) throws(ManifestError) in
      let text = try type.string()
      if let direction = Direction(rawValue: text) { return direction }
      let near = Direction.allCases.first { $0.keyword == text.lowercased() }
      throw type.error("unknown policy type \(text.quoted)", "write \(near?.rawValue ?? "Ingress or Egress")")
    }
    return directions.isEmpty ? nil : Set(directions)
  }

  private mutating func rules(_ spec: Fields, _ direction: Direction) throws(ManifestError) -> [NetworkPolicy.Rule] {
    var rules: [NetworkPolicy.Rule] = []
    let peerField = direction == .ingress ? "from" : "to"
    for field in try spec[direction.keyword]?.list() ?? [] {
      let fields = try field.fields()
      var places = NetworkPolicy.Rule.Places()
      var peers: [NetworkPolicy.Peer] = []
      for peer in try fields[peerField]?.list() ?? [] {
        peers.append(try self.peer(peer))
        places.peers.append(peer.location)
        places.excepts.append(try exceptLocations(peer))
      }
      var ports: [NetworkPolicy.PortRule] = []
      for port in try fields["ports"]?.list() ?? [] {
        ports.append(try portRule(port))
        places.ports.append(port.location)
      }
      var rule = NetworkPolicy.Rule(
        peers: peers.isEmpty ? .any : .listed(peers), ports: ports.isEmpty ? .all : .listed(ports),
        location: field.location)
      rule.places = places
      rules.append(rule)
    }
    return rules
  }

  /// Drops the latest notes, because they repeat earlier ones.
  mutating func forgetNotes(after count: Int) { notes.removeSubrange(min(count, notes.count)...) }

  mutating func warn(_ text: String) { notes.append(Note(.warning, text)) }
}
