/// The source or destination of a flow as text, on the command line, in documents and in reports. `ClusterNames`
/// resolves it in a cluster.
public enum EndpointReference: Hashable, Sendable {
  /// `namespace/pod`, or `namespace/Pod/name`.
  case pod(PodID)
  /// All pods of a workload: `namespace/Deployment/name`.
  case workload(namespace: String, kind: String, name: String)
  /// A service by its ClusterIP: `namespace/Service/name`, or `service/namespace/name`.
  case service(NamespacedName)
  /// A service by an address that it announces outside the cluster: `vip/namespace/name/ADDRESS`.
  case virtualAddress(NamespacedName, IPAddress)
  /// `node/NAME`.
  case node(String)
  /// `external/NAME`.
  case external(String)
  case address(IPAddress)
}

/// Text that can't be read as the source or destination of a flow.
public struct EndpointTextError: Error, Hashable, Sendable {
  /// Continues the user's text: `is not a flow endpoint`.
  public let problem: String
  /// What to write instead.
  public let remedy: String
}

extension EndpointTextError: CustomStringConvertible {
  public var description: String { "\(problem); \(remedy)" }
}

extension EndpointReference {
  /// Every form for users, for help and error texts. Leaves out `vip/...`, which only reports print.
  public static let forms =
    "namespace/pod, namespace/kind/name, service/namespace/name, node/NAME, external/NAME or an address"

  /// `service`, `node` or `external` as the first word is always the keyword. A pod in a namespace of that name has to
  /// be given by its address. Kinds are not case-sensitive.
  public init(_ text: String) throws(EndpointTextError) {
    if let address = IPAddress(text) {
      self = .address(address)
      return
    }
    if CIDR(text) != nil { throw EndpointTextError(problem: "is a network", remedy: "write one address of it") }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, !parts.contains("") else { throw .noEnd }
    switch (parts[0], parts.count) {
    case ("node", 2): self = .node(parts[1])
    // As reports name a host that was made for a question about its address.
    case ("external", 2): self = IPAddress(parts[1]).map(Self.address) ?? .external(parts[1])
    case ("service", 3): self = .service(NamespacedName(parts[1], parts[2]))
    case ("node", _): throw .keyword("node", "node/NAME")
    case ("external", _): throw .keyword("external", "external/NAME")
    case ("service", _): throw .keyword("service", "service/namespace/name")
    case ("vip", 4):
      guard let address = IPAddress(parts[3]) else {
        throw EndpointTextError(problem: "does not end in an address", remedy: "write vip/namespace/name/ADDRESS")
      }
      self = .virtualAddress(NamespacedName(parts[1], parts[2]), address)
    case (let namespace, 2): self = .pod(PodID(namespace, parts[1]))
    case (let namespace, 3):
      switch Self.kind(parts[1]) {
      case "Pod": self = .pod(PodID(namespace, parts[2]))
      case "Service": self = .service(NamespacedName(namespace, parts[2]))
      case let kind: self = .workload(namespace: namespace, kind: kind, name: parts[2])
      }
    default: throw .noEnd
    }
  }

  /// The API's spelling of a kind, also for kubectl's short names and plurals. Returns an unknown kind unchanged.
  private static func kind(_ word: String) -> String {
    let lowercased = word.lowercased()
    let matches = { (kind: String) in [kind.lowercased(), "\(kind.lowercased())s"].contains(lowercased) }
    return shortNames[lowercased] ?? kinds.first(where: matches) ?? word
  }

  private static let shortNames = [
    "po": "Pod", "svc": "Service", "deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "rs": "ReplicaSet",
    "rc": "ReplicationController", "cj": "CronJob", "dc": "DeploymentConfig", "vm": "VirtualMachine", "ro": "Rollout",
  ]

  private static let kinds = [
    "Pod", "Service", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob",
    "Rollout", "DeploymentConfig", "CloneSet", "VirtualMachine",
  ]
}

extension EndpointTextError {
  fileprivate static let noEnd = Self(
    problem: "is not a flow endpoint", remedy: "write \(EndpointReference.forms)")

  fileprivate static func keyword(_ word: String, _ form: String) -> Self {
    Self(
      problem: "is not a flow endpoint",
      remedy: "write \(form); for an object in a namespace called \(word), write its address")
  }
}

extension EndpointReference {
  /// The address, if it is written as one.
  package var address: IPAddress? {
    if case .address(let address) = self { address } else { nil }
  }
}

extension Endpoint {
  /// The endpoint that the reference names. `nil` for a workload, because only a cluster can list its pods.
  public init?(_ reference: EndpointReference) {
    switch reference {
    case .pod(let id): self = .pod(id)
    case .workload: return nil
    case .service(let id): self = .service(id)
    case .virtualAddress(let id, let address): self = .virtualAddress(id, address)
    case .node(let name): self = .node(name)
    case .external(let name): self = .external(name)
    case .address(let address): self = .address(address)
    }
  }
}

extension EndpointReference: CustomStringConvertible {
  /// Parses back to the same reference.
  public var description: String {
    switch self {
    case .pod(let id): id.description
    case .workload(let namespace, let kind, let name): "\(namespace)/\(kind)/\(name)"
    case .service(let id): "service/\(id)"
    case .virtualAddress(let id, let address): "vip/\(id)/\(address)"
    case .node(let name): "node/\(name)"
    case .external(let name): "external/\(name)"
    case .address(let address): address.description
    }
  }
}
