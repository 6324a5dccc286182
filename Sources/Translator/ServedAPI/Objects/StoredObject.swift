internal import Text

/// Where an object is: its type, namespace and name.
public struct ObjectKey: Hashable, Sendable, Comparable {
  public let type: ResourceType
  /// Empty for an object that has none.
  public let namespace: String
  public let name: String

  public init(_ type: ResourceType, _ namespace: String, _ name: String) {
    self.type = type
    self.namespace = type.isNamespaced ? namespace : ""
    self.name = name
  }

  /// By namespace and name, as etcd sorts the objects of a type.
  public static func < (a: ObjectKey, b: ObjectKey) -> Bool {
    a.namespace != b.namespace ? a.namespace < b.namespace : a.name < b.name
  }
}

/// One state of an object: what is sent of it, and what selectors ask for.
public final class StoredObject: Sendable {
  public let key: ObjectKey
  public let resourceVersion: UInt64
  /// The object as JSON text.
  public let bytes: [UInt8]
  public let labels: [String: String]
  /// What field selectors may ask for besides metadata.
  public let fields: [String: String]

  init(_ key: ObjectKey, _ resourceVersion: UInt64, _ json: JSON) {
    self.key = key
    self.resourceVersion = resourceVersion
    bytes = json.bytes
    labels = json["metadata"]?["labels"]?.strings ?? [:]
    fields = key.type.selectableFields(of: json)
  }

  /// The object as a value, made anew from its text.
  var json: JSON { (try? JSON(parsing: bytes)) ?? .empty }

  /// The value that a field selector asks for. `nil` for a field by which objects of its type can't be selected.
  public func field(_ name: String) -> String? {
    switch name {
    case "metadata.name": key.name
    case "metadata.namespace": key.namespace
    default: fields[name]
    }
  }
}

extension ResourceType {
  /// Whether field selectors may ask for a field of its objects.
  func canSelect(by field: String) -> Bool {
    ["metadata.name", "metadata.namespace"].contains(field) || selectableFields(of: .empty)[field] != nil
  }

  /// `pkg/registry/core/pod/strategy.go` (`ToSelectableFields`) and those of Events and Nodes.
  fileprivate func selectableFields(of json: JSON) -> [String: String] {
    let text = { (path: String...) in json[path]?.string ?? "" }
    switch (group, kind) {
    case ("", "Pod"):
      return [
        "spec.nodeName": text("spec", "nodeName"), "status.phase": text("status", "phase"),
        "spec.restartPolicy": text("spec", "restartPolicy"), "spec.schedulerName": text("spec", "schedulerName"),
        "spec.serviceAccountName": text("spec", "serviceAccountName"), "status.podIP": text("status", "podIP"),
        "status.nominatedNodeName": text("status", "nominatedNodeName"),
        "spec.hostNetwork": "\(json["spec"]?["hostNetwork"]?.bool ?? false)",
      ]
    case ("", "Node"): return ["spec.unschedulable": "\(json["spec"]?["unschedulable"]?.bool ?? false)"]
    case ("", "Namespace"): return ["status.phase": text("status", "phase")]
    case ("", "Service"):
      return ["spec.clusterIP": text("spec", "clusterIP"), "spec.type": text("spec", "type")]
    case ("", "Event"), ("events.k8s.io", "Event"):
      var fields: [String: String] = ["reason": text("reason"), "type": text("type")]
      let object = json["involvedObject"] ?? json["regarding"]
      for name in ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] {
        fields["involvedObject.\(name)"] = object?[name]?.string ?? ""
      }
      fields["source"] = text("source", "component")
      return fields
    case ("apps", "ReplicaSet"), ("", "ReplicationController"):
      return ["status.replicas": "\(json["status"]?["replicas"]?.integer ?? 0)"]
    case ("batch", "Job"): return ["status.successful": "\(json["status"]?["succeeded"]?.integer ?? 0)"]
    default: return [:]
    }
  }
}
