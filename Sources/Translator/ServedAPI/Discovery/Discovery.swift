public import Text

/// What a server says of the types that it serves: `/api`, `/apis`, and the lists of each group and version below them.
public struct Discovery: Sendable {
  private let types: [ResourceType]
  /// In the order of their first types.
  private let groups: [APIGroup]

  /// `types`: in the order in which they are to be listed.
  public init(_ types: [ResourceType]) {
    self.types = types
    groups = APIGroup.groups(of: types)
  }

  /// How the whole list is written.
  public enum Format: Hashable, Sendable, CaseIterable {
    /// All groups with their types in one answer, as clients since Kubernetes 1.30 ask for it.
    case aggregatedV2
    /// The same, as clients from 1.26 on ask for it.
    case aggregatedV2Beta1
    /// The groups alone. The client asks for each version's types then.
    case plain

    /// The `Content-Type` of the answer: it tells the client which of its formats it got.
    public var contentType: String {
      guard let version else { return "application/json" }
      return "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
    }

    fileprivate var version: String? {
      switch self {
      case .aggregatedV2: "v2"
      case .aggregatedV2Beta1: "v2beta1"
      case .plain: nil
      }
    }
  }

  /// The first format in an Accept header that a server knows. `plain` if there is none.
  public static func format(accept: String) -> Format {
    MediaTypes(accept: accept).first { asked in
      if asked.isItself { return .plain }
      guard asked.kind == "APIGroupDiscoveryList", asked.group == "apidiscovery.k8s.io" else { return nil }
      return Format.allCases.first { $0.version == asked.version }
    } ?? .plain
  }

  /// The body of `/api`: the versions of the core group.
  public func api(_ format: Format) -> JSON {
    if let version = format.version { return list(groups.filter(\.isCore), version) }
    return [
      "kind": "APIVersions", "serverAddressByClientCIDRs": [],
      "versions": .array(groups.filter(\.isCore).flatMap(\.versions).map { .string($0.name) }),
    ]
  }

  /// The body of `/apis`: all other groups.
  public func apis(_ format: Format) -> JSON {
    let named = groups.filter { !$0.isCore }
    if let version = format.version { return list(named, version) }
    return ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(named.map(\.json))]
  }

  /// The body of `/apis/GROUP`. `nil` for an unknown group.
  public func group(_ name: String) -> JSON? {
    guard var json = groups.first(where: { $0.name == name && !$0.isCore })?.json else { return nil }
    json["kind"] = "APIGroup"
    json["apiVersion"] = "v1"
    return json
  }

  /// The body of `/apis/GROUP/VERSION`, or of `/api/VERSION` for the core group, whose name is empty. `nil` for what isn't
  /// served.
  public func resources(group: String, version: String) -> JSON? {
    let served = types.filter { $0.group == group && $0.version == version }
    guard let first = served.first else { return nil }
    return [
      "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(first.apiVersion),
      "resources": .array(served.flatMap(\.apiResources)),
    ]
  }

  private func list(_ groups: [APIGroup], _ version: String) -> JSON {
    [
      "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
      "items": .array(groups.map(\.discovery)),
    ]
  }
}

extension ResourceType {
  private struct Subresource {
    let name: String
    var group = ""
    var version = "v1"
    let kind: String
    let verbs: JSON
  }

  /// The paths below an object.
  private var subresources: [Subresource] {
    var all: [Subresource] = []
    if hasStatus {
      all.append(.init(name: "status", group: group, version: version, kind: kind, verbs: ["get", "patch", "update"]))
    }
    if hasScale {
      all.append(
        .init(name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"]))
    }
    if self == .pods {
      all.append(.init(name: "binding", kind: "Binding", verbs: ["create"]))
      all.append(.init(name: "eviction", group: "policy", version: "v1", kind: "Eviction", verbs: ["create"]))
    }
    if self == .namespaces { all.append(.init(name: "finalize", kind: "Namespace", verbs: ["update"])) }
    return all
  }

  private var allVerbs: JSON {
    .array(Self.verbs.filter { $0 != "deletecollection" || self != .namespaces }.map(JSON.string))
  }

  /// `metav1.APIResource`: the type, and its status if that has a path of its own.
  fileprivate var apiResources: [JSON] {
    var resource: JSON = [
      "name": .string(plural), "singularName": .string(singular), "namespaced": .bool(isNamespaced),
      "kind": .string(kind), "verbs": allVerbs,
    ]
    addNames(to: &resource)
    return [resource]
      + subresources.map { own in
        var json: JSON = [
          "name": .string("\(plural)/\(own.name)"), "singularName": "", "namespaced": .bool(isNamespaced),
          "kind": .string(own.kind), "verbs": own.verbs,
        ]
        if own.group != group {
          json["group"] = .string(own.group)
          json["version"] = .string(own.version)
        }
        return json
      }
  }

  /// `apidiscovery.APIResourceDiscovery`.
  var discovery: JSON {
    let responseKind: JSON = ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    var resource: JSON = [
      "resource": .string(plural), "singularResource": .string(singular), "responseKind": responseKind,
      "scope": .string(isNamespaced ? "Namespaced" : "Cluster"), "verbs": allVerbs,
    ]
    addNames(to: &resource)
    if !subresources.isEmpty {
      resource["subresources"] = .array(
        subresources.map { own in
          [
            "subresource": .string(own.name), "verbs": own.verbs,
            "responseKind": ["group": .string(own.group), "version": .string(own.version), "kind": .string(own.kind)],
          ]
        })
    }
    return resource
  }

  private func addNames(to resource: inout JSON) {
    if !shortNames.isEmpty { resource["shortNames"] = .array(shortNames.map(JSON.string)) }
    if isInAll { resource["categories"] = ["all"] }
  }
}
