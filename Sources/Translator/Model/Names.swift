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

public typealias PodID = NamespacedName
public typealias PolicyID = NamespacedName

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
