public import Text

/// A column of a table of objects, and what stands in it (`metav1.TableColumnDefinition`). The columns and cells of each
/// type are those of Kubernetes 1.33's `pkg/printers/internalversion/printers.go`.
public struct TableColumn: Sendable {
  public enum Kind: String, Hashable, Sendable {
    case string
    case integer
    case date
  }

  public let name: String
  public let kind: Kind
  /// `name` for the column that names the object; otherwise empty.
  public let format: String
  public let description: String
  /// Whether only `-o wide` shows it: priority 1.
  public let isWide: Bool
  let cell: @Sendable (TabledObject) -> JSON

  init(
    _ name: String, _ kind: Kind = .string, format: String = "", isWide: Bool = false, _ description: String,
    cell: @escaping @Sendable (TabledObject) -> JSON
  ) {
    self.name = name
    self.kind = kind
    self.format = format
    self.description = description
    self.isWide = isWide
    self.cell = cell
  }

  /// A column of text.
  init(
    text name: String, isWide: Bool = false, _ description: String,
    cell: @escaping @Sendable (TabledObject) -> String
  ) {
    self.init(name, isWide: isWide, description) { .string(cell($0)) }
  }

  /// A column with the number in a field; zero if there is none.
  init(number name: String, at path: [String], otherwise: Int = 0, _ description: String) {
    self.init(name, .integer, description) { .integer($0.json[path]?.integer ?? otherwise) }
  }

  public var json: JSON {
    [
      "name": .string(name), "type": .string(kind.rawValue), "format": .string(format),
      "description": .string(description), "priority": .integer(isWide ? 1 : 0),
    ]
  }
}

extension TableColumn {
  static let name = TableColumn("Name", format: "name", "The object's name, unique in its namespace.") {
    .string($0.text("metadata", "name"))
  }
  static let age = TableColumn(text: "Age", "The time since the object was created.") {
    $0.age("metadata", "creationTimestamp")
  }
}

extension ResourceType {
  /// The columns of a table of its objects. A type of which nothing is known has the name and the age.
  var tableColumns: [TableColumn] {
    if isOpaque { return [.name, .age] }
    return switch (group, kind) {
    case ("", "Pod"): TableColumn.ofPods
    case ("", "Node"): TableColumn.ofNodes
    case ("", "Namespace"): TableColumn.ofNamespaces
    case ("", "Service"): TableColumn.ofServices
    case ("", "Endpoints"): TableColumn.ofEndpoints
    case ("discovery.k8s.io", "EndpointSlice"): TableColumn.ofEndpointSlices
    case ("networking.k8s.io", "NetworkPolicy"): TableColumn.ofNetworkPolicies
    case ("networking.k8s.io", "ServiceCIDR"): TableColumn.ofServiceCIDRs
    case ("", "ReplicationController"): TableColumn.ofReplicationControllers
    case ("apps", "Deployment"): TableColumn.ofDeployments
    case ("apps", "ReplicaSet"): TableColumn.ofReplicaSets
    case ("apps", "StatefulSet"): TableColumn.ofStatefulSets
    case ("apps", "DaemonSet"): TableColumn.ofDaemonSets
    case ("batch", "Job"): TableColumn.ofJobs
    case ("batch", "CronJob"): TableColumn.ofCronJobs
    case ("coordination.k8s.io", "Lease"): TableColumn.ofLeases
    case ("", "Event"), ("events.k8s.io", "Event"): TableColumn.ofEvents
    case ("apiextensions.k8s.io", "CustomResourceDefinition"): TableColumn.ofDefinitions
    default: [.name, .age]
    }
  }
}
