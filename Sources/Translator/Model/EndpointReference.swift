/// An end of a flow as a person writes it, on the command line and in documents, and as reports print it. What it stands
/// for is a cluster's to say: `ClusterNames`.
public enum EndpointReference: Hashable, Sendable {
  /// `namespace/pod`, or `namespace/Pod/name`.
  case pod(PodID)
  /// All pods of a workload: `namespace/Deployment/name`.
  case workload(namespace: String, kind: String, name: String)
  /// By its ClusterIP: `namespace/Service/name`, or `service/namespace/name`.
  case service(NamespacedName)
  /// By an address that is announced outside: `vip/namespace/name/ADDRESS`.
  case virtualAddress(NamespacedName, IPAddress)
  /// `node/NAME`.
  case node(String)
  /// `external/NAME`.
  case external(String)
  case address(IPAddress)
}

/// Text that is no end of a flow.
public struct EndpointTextError: Error, Hashable, Sendable {
  /// Goes on from the text: `is no end of a flow`.
  public let problem: String
  /// What to write in its place.
  public let remedy: String
}

extension EndpointTextError: CustomStringConvertible {
  public var description: String { "\(problem); \(remedy)" }
}

extension EndpointReference {
  /// All ways to write an end, but for the one that is a report's alone.
  public static let forms =
    "namespace/pod, namespace/kind/name, service/namespace/name, node/NAME, external/NAME or an address"

  /// A first word `service`, `node` or `external` is always the keyword: a pod of a namespace that is called so is given
  /// by its address. Kinds may be written with capitals or without.
  public init(_ text: String) throws(EndpointTextError) {
    if let address = IPAddress(text) {
      self = .address(address)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, !parts.contains("") else { throw .noEnd }
    switch (parts[0], parts.count) {
    case ("node", 2): self = .node(parts[1])
    case ("external", 2): self = .external(parts[1])
    case ("service", 3): self = .service(NamespacedName(parts[1], parts[2]))
    case ("node", _): throw .keyword("node", "node/NAME")
    case ("external", _): throw .keyword("external", "external/NAME")
    case ("service", _): throw .keyword("service", "service/namespace/name")
    case ("vip", 4):
      guard let address = IPAddress(parts[3]) else {
        throw EndpointTextError(problem: "ends in no address", remedy: "write vip/namespace/name/ADDRESS")
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

  /// The API's spelling of a kind; one that it does not have stays as it is.
  private static func kind(_ word: String) -> String {
    let lowercased = word.lowercased()
    return kinds.first { $0.lowercased() == lowercased } ?? word
  }

  private static let kinds = [
    "Pod", "Service", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob",
  ]
}

extension EndpointTextError {
  fileprivate static let noEnd = Self(
    problem: "is no end of a flow", remedy: "write \(EndpointReference.forms)")

  fileprivate static func keyword(_ word: String, _ form: String) -> Self {
    Self(
      problem: "is no end of a flow",
      remedy: "write \(form); what is in a namespace called \(word) is given by its address")
  }
}

extension Endpoint {
  /// What the text says by itself, as reports print it; nil for a workload, which has pods that a cluster knows.
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
  /// Reads back as the same.
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
