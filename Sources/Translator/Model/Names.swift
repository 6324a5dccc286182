/// Namespace and name of an object, printed as `namespace/name`.
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

/// Which pod, printed as `namespace/name`.
public struct PodID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Where objects of several kinds are told apart by more than the name.
  public let namespacedName: NamespacedName

  public init(_ namespace: String, _ name: String) { self.init(NamespacedName(namespace, name)) }
  public init(_ namespacedName: NamespacedName) { self.namespacedName = namespacedName }

  public var namespace: String { namespacedName.namespace }
  public var name: String { namespacedName.name }
  public var description: String { namespacedName.description }
  public static func < (a: Self, b: Self) -> Bool { a.namespacedName < b.namespacedName }
}

/// What a policy is to the API. NetworkPolicies only ever add to what is admitted; ClusterNetworkPolicies, which will be
/// the next kind, have tiers, priorities, and deny and pass besides allow.
public enum PolicyKind: String, Hashable, Comparable, Sendable, CaseIterable {
  case networkPolicy = "NetworkPolicy"

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Which policy, printed as `namespace/name`; those of two kinds may have one name.
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

/// Where an object stands in the input: file as the user named it, line from 1.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  public let file: String
  public let line: Int
  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
  public var description: String { "\(file):\(line)" }
}
