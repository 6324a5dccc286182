public import Manifests
public import Text

/// Who wrote which field of an object: `metadata.managedFields`.
public struct FieldOwnership: Hashable, Sendable {
  /// Who writes, and how.
  public struct Manager: Hashable, Sendable {
    public enum Operation: Hashable, Sendable {
      case apply
      /// Any other write. One in another version of the API is another manager's.
      case update(apiVersion: String)
    }

    public let name: String
    public let operation: Operation
    /// `status`. Empty for the object itself.
    public let subresource: String

    public init(_ name: String, _ operation: Operation, subresource: String = "") {
      self.name = name
      self.operation = operation
      self.subresource = subresource
    }
  }

  /// What one manager owns.
  public struct Share: Hashable, Sendable {
    public internal(set) var fields: FieldSet
    public let apiVersion: String
    /// RFC 3339. `nil`: the manager writes just now.
    public let time: String?
  }

  public internal(set) var shares: [Manager: Share] = [:]

  public init() {}

  /// The fields that a manager owns.
  public func fields(of manager: Manager) -> FieldSet { shares[manager]?.fields ?? FieldSet() }

  /// After a write that is no apply: what it added or changed belongs to its manager alone, and what it removed to nobody.
  /// `old`: `nil` if it made the object.
  public mutating func update(
    from old: JSON?, to new: JSON, by name: String, subresource: String = "", as type: ValueType?
  ) {
    let changes = FieldChanges(
      from: (old ?? .empty).withoutManagedFields, to: new.withoutManagedFields, .init(object: type))
    let taken = changes.added.union(changes.modified).withoutIdentity
    subtract(taken.union(changes.removed))
    guard !taken.isEmpty else { return }
    let apiVersion = new["apiVersion"]?.string ?? ""
    let manager = Manager(name, .update(apiVersion: apiVersion), subresource: subresource)
    shares[manager] = Share(fields: fields(of: manager).union(taken), apiVersion: apiVersion, time: nil)
  }

  /// Takes fields from all managers, or all but one.
  mutating func subtract(_ fields: FieldSet, butNotFrom exception: Manager? = nil) {
    for (manager, share) in shares where manager != exception {
      let rest = share.fields.subtracting(fields)
      shares[manager]?.fields = rest
      if rest.isEmpty { shares[manager] = nil }
    }
  }
}

extension FieldOwnership {
  /// Reads `metadata.managedFields`. `nil` for what is no such list.
  public init?(managedFields: JSON) {
    guard case .array(let entries) = managedFields else { return nil }
    for entry in entries {
      guard let apiVersion = entry["apiVersion"]?.string, !apiVersion.isEmpty,
        entry["fieldsType"]?.string == "FieldsV1",
        let operation = Manager.Operation(entry["operation"]?.string, apiVersion),
        let fields = FieldSet(fieldsV1: entry["fieldsV1"] ?? .empty)
      else { return nil }
      let manager = Manager(
        entry["manager"]?.string ?? "", operation, subresource: entry["subresource"]?.string ?? "")
      shares[manager] = Share(fields: fields, apiVersion: apiVersion, time: entry["time"]?.string)
    }
  }

  /// The ownership that a write begins with: the one that the new object states, as it may (kubectl does to turn
  /// client-side applies into server-side ones), or else the stored object's. An empty list or entry begins anew
  /// (`pkg/util/managedfields/internal/fieldmanager.go`).
  public init(stated object: JSON, stored: JSON?) {
    switch object["metadata"]?["managedFields"] {
    case .array([]), .array([.empty]): self.init()
    case let stated:
      let ownership = stated.flatMap(FieldOwnership.init(managedFields:))
      self =
        ownership.flatMap { $0.shares.isEmpty ? nil : $0 }
        ?? stored?["metadata"]?["managedFields"].flatMap(FieldOwnership.init(managedFields:)) ?? FieldOwnership()
    }
  }

  /// `metadata.managedFields`. `time`: that of the write, RFC 3339.
  public func managedFields(at time: String) -> JSON {
    let entries = shares.map { manager, share -> (order: [String], json: JSON) in
      let written = share.time ?? time
      var json: JSON = [
        "manager": .string(manager.name), "operation": .string(manager.operation.name),
        "apiVersion": .string(share.apiVersion), "time": .string(written), "fieldsType": "FieldsV1",
        "fieldsV1": share.fields.fieldsV1,
      ]
      if !manager.subresource.isEmpty { json["subresource"] = .string(manager.subresource) }
      return (
        [manager.operation.name, written, manager.name, share.apiVersion, manager.subresource], json
      )
    }
    return .array(entries.sorted { $0.order.lexicographicallyPrecedes($1.order) }.map(\.json))
  }
}

extension FieldOwnership.Manager.Operation {
  fileprivate init?(_ name: String?, _ apiVersion: String) {
    switch name {
    case "Apply": self = .apply
    case "Update": self = .update(apiVersion: apiVersion)
    default: return nil
    }
  }

  fileprivate var name: String {
    switch self {
    case .apply: "Apply"
    case .update: "Update"
    }
  }
}

extension JSON {
  var withoutManagedFields: JSON {
    var json = self
    json["metadata"]?["managedFields"] = nil
    return json
  }
}

extension FieldSet {
  /// Without what nobody owns: the names of the object and what the server writes
  /// (`pkg/util/managedfields/internal/stripmeta.go`).
  var withoutIdentity: FieldSet {
    var set = self
    for name in ["apiVersion", "kind"] { set[.field(name)].isMember = false }
    var metadata = set[.field("metadata")]
    metadata.isMember = false
    for name in [
      "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
      "resourceVersion",
    ] {
      metadata[.field(name)].isMember = false
    }
    set[.field("metadata")] = metadata
    return set
  }
}
