internal import Text

extension TableColumn {
  static let ofNodes: [TableColumn] = [
    .name,
    TableColumn(text: "Status", "Whether the node is ready, and takes pods.") { node in
      let ready = node.condition("Ready").map { $0["status"]?.string == "True" ? "Ready" : "NotReady" } ?? "Unknown"
      return ready + (node.json[["spec", "unschedulable"]]?.bool == true ? ",SchedulingDisabled" : "")
    },
    TableColumn(text: "Roles", "The node's roles, by its labels.") { $0.roles },
    .age,
    TableColumn(text: "Version", "The kubelet's version.") { $0.text("status", "nodeInfo", "kubeletVersion") },
    TableColumn(text: "Internal-IP", isWide: true, "The node's first internal address.") { $0.address("InternalIP") },
    TableColumn(text: "External-IP", isWide: true, "The node's first external address.") { $0.address("ExternalIP") },
    TableColumn(text: "OS-Image", isWide: true, "The node's operating system.") {
      $0.text("status", "nodeInfo", "osImage", otherwise: "<unknown>")
    },
    TableColumn(text: "Kernel-Version", isWide: true, "The node's kernel.") {
      $0.text("status", "nodeInfo", "kernelVersion", otherwise: "<unknown>")
    },
    TableColumn(text: "Container-Runtime", isWide: true, "What runs the node's containers.") {
      $0.text("status", "nodeInfo", "containerRuntimeVersion", otherwise: "<unknown>")
    },
  ]
}

extension TabledObject {
  fileprivate func address(_ type: String) -> String {
    values("status", "addresses").first { $0["type"]?.string == type }?["address"]?.string ?? "<none>"
  }

  /// From labels `node-role.kubernetes.io/ROLE` and `kubernetes.io/role: ROLE`.
  fileprivate var roles: String {
    var roles: Set<String> = []
    let prefix = "node-role.kubernetes.io/"
    for (key, value) in json[["metadata", "labels"]]?.strings ?? [:] {
      if key.hasPrefix(prefix) { roles.insert(String(key.dropFirst(prefix.count))) }
      if key == "kubernetes.io/role" { roles.insert(value) }
    }
    roles.remove("")
    return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
  }
}
