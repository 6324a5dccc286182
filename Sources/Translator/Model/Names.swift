/// The namespace and name of an object, printed as `namespace/name`.
public struct NamespacedName: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let namespace: String
  public let name: String

  public init(_ namespace: String, _ name: String) {
    self.namespace = namespace
    self.name = name
  }
  public var description: String { "\(namespace)/\(name)" }
  public static func < (a: Self, b: Self) -> Bool { (a.namespace, a.name) < (b.namespace, b.name) }
}

/// The ID of a pod, printed as `namespace/name`.
public struct PodID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The name without its kind, for code that handles objects of several kinds.
  public let namespacedName: NamespacedName

  public init(_ namespace: String, _ name: String) { self.init(NamespacedName(namespace, name)) }
  public init(_ namespacedName: NamespacedName) { self.namespacedName = namespacedName }

  public var namespace: String { namespacedName.namespace }
  public var name: String { namespacedName.name }
  public var description: String { namespace.isEmpty ? name : namespacedName.description }
  public static func < (a: Self, b: Self) -> Bool { a.namespacedName < b.namespacedName }

  /// The machine of a pod that no API object describes (`Cluster.strangers`). No object has such a name.
  public static func stranger(_ address: IPAddress) -> PodID { PodID("", address.description) }
}

/// The API kind of a policy. A NetworkPolicy can only allow more traffic. ClusterNetworkPolicy, the next kind to come,
/// has tiers, priorities, and the actions deny and pass besides allow.
public enum PolicyKind: String, Hashable, Comparable, Sendable, CaseIterable {
  case networkPolicy = "NetworkPolicy"

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The ID of a policy, printed as `namespace/name`. Policies of different kinds may share a name.
public struct PolicyID: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let kind: PolicyKind
  public let namespacedName: NamespacedName

  public init(_ namespace: String, _ name: String, kind: PolicyKind = .networkPolicy) {
    self.init(NamespacedName(namespace, name), kind: kind)
  }
  public init(_ namespacedName: NamespacedName, kind: PolicyKind = .networkPolicy) {
    self.kind = kind
    self.namespacedName = namespacedName
  }

  public var namespace: String { namespacedName.namespace }
  public var name: String { namespacedName.name }
  public var description: String { namespacedName.description }
  public static func < (a: Self, b: Self) -> Bool { (a.namespacedName, a.kind) < (b.namespacedName, b.kind) }
}

/// The position of an object in the input: the file as the user named it, and the line, counted from 1.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  public let line: Int
  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
  public var description: String { "\(file):\(line)" }
}
