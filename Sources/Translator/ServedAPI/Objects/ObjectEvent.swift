/// A change of an object.
public struct ObjectEvent: Sendable {
  public enum Kind: String, Hashable, Sendable {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
  }

  public let kind: Kind
  /// The state after it. Of a deletion: the last state, with the deletion's resource version.
  public let object: StoredObject
  /// The state before it. `nil`: the object is new.
  public let previous: StoredObject?

  public var resourceVersion: UInt64 { object.resourceVersion }
}
