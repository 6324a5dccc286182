internal import Text

extension TableColumn {
  static let ofNamespaces: [TableColumn] = [
    .name, TableColumn(text: "Status", "Whether the namespace stays.") { $0.text("status", "phase") }, .age,
  ]

  static let ofNetworkPolicies: [TableColumn] = [
    .name,
    TableColumn(text: "Pod-Selector", "The labels of the policy's pods.") {
      SelectorText.selector($0.json[["spec", "podSelector"]])
    },
    .age,
  ]

  static let ofServiceCIDRs: [TableColumn] = [
    .name,
    TableColumn(text: "CIDRs", "Where services' addresses are from.") {
      $0.values("spec", "cidrs").compactMap(\.string).joined(separator: ",")
    },
    .age,
  ]

  static let ofLeases: [TableColumn] = [
    .name, TableColumn(text: "Holder", "Who holds the lease.") { $0.text("spec", "holderIdentity") }, .age,
  ]

  /// What apiserver's default for types without a printer is (`rest.NewDefaultTableConvertor`).
  static let ofDefinitions: [TableColumn] = [
    .name,
    TableColumn("Created At", .date, "When the object was created.") { object in
      let time = RFC3339.seconds(object.text("metadata", "creationTimestamp"))
      return .string(time.map(RFC3339.text) ?? "<unknown>")
    },
  ]
}
