internal import Text

extension TableColumn {
  static let ofDeployments: [TableColumn] =
    [
      .name, readyReplicas,
      TableColumn(number: "Up-to-date", at: ["status", "updatedReplicas"], "How many pods have the newest template."),
      TableColumn(number: "Available", at: ["status", "availableReplicas"], "How many pods are available."),
      .age,
    ] + ofContainers(["spec", "template"]) + [
      selector { SelectorText.requirements($0.json[["spec", "selector"]]) }
    ]

  static let ofReplicaSets = ofReplicas + [selector(at: ["spec"])]
  static let ofReplicationControllers =
    ofReplicas + [selector { SelectorText.labels($0.json[["spec", "selector"]]) }]

  static let ofStatefulSets: [TableColumn] = [.name, readyReplicas, .age] + ofContainers(["spec", "template"])

  static let ofDaemonSets: [TableColumn] =
    [
      .name,
      TableColumn(number: "Desired", at: ["status", "desiredNumberScheduled"], "How many nodes should run a pod."),
      TableColumn(number: "Current", at: ["status", "currentNumberScheduled"], "How many of these nodes run one."),
      TableColumn(number: "Ready", at: ["status", "numberReady"], "How many pods are ready."),
      TableColumn(
        number: "Up-to-date", at: ["status", "updatedNumberScheduled"], "How many pods have the newest template."),
      TableColumn(number: "Available", at: ["status", "numberAvailable"], "How many pods are available."),
      TableColumn(text: "Node Selector", "The labels of the nodes.") {
        SelectorText.labels($0.json[["spec", "template", "spec", "nodeSelector"]])
      },
      .age,
    ] + ofContainers(["spec", "template"]) + [selector(at: ["spec"])]

  static let ofJobs: [TableColumn] =
    [
      .name,
      TableColumn(text: "Status", "What became of the job.") { job in
        if job.isTrue("Complete") { return "Complete" }
        if job.isTrue("Failed") { return "Failed" }
        if job.isBeingDeleted { return "Terminating" }
        if job.isTrue("Suspended") { return "Suspended" }
        return job.isTrue("FailureTarget") ? "FailureTarget" : "Running"
      },
      TableColumn(text: "Completions", "How many of the job's pods succeeded.") { job in
        let succeeded = job.number("status", "succeeded")
        if let completions = job.json[["spec", "completions"]]?.integer { return "\(succeeded)/\(completions)" }
        let parallelism = job.number("spec", "parallelism")
        return "\(succeeded)/1" + (parallelism > 1 ? " of \(parallelism)" : "")
      },
      TableColumn(text: "Duration", "How long the job took.") { job in
        guard let start = RFC3339.seconds(job.text("status", "startTime")) else { return "" }
        return humanDuration((RFC3339.seconds(job.text("status", "completionTime")) ?? job.now) - start)
      },
      .age,
    ] + ofContainers(["spec", "template"]) + [selector(at: ["spec"])]

  static let ofCronJobs: [TableColumn] =
    [
      .name,
      TableColumn(text: "Schedule", "When the job is run, as in cron.") { $0.text("spec", "schedule") },
      TableColumn(text: "Timezone", "Where the schedule's times are meant.") {
        $0.text("spec", "timeZone", otherwise: "<none>")
      },
      TableColumn(text: "Suspend", "Whether no more jobs are started.") {
        $0.json[["spec", "suspend"]]?.bool.map { $0 ? "True" : "False" } ?? "<unset>"
      },
      TableColumn("Active", .integer, "How many jobs run.") { .integer($0.values("status", "active").count) },
      TableColumn(text: "Last Schedule", "The time since the last job was started.") { job in
        job.json[["status", "lastScheduleTime"]]?.string == nil ? "<none>" : job.age("status", "lastScheduleTime")
      },
      .age,
    ] + ofContainers(["spec", "jobTemplate", "spec", "template"]) + [selector(at: ["spec", "jobTemplate", "spec"])]

  private static let ofReplicas: [TableColumn] =
    [
      .name,
      TableColumn(number: "Desired", at: ["spec", "replicas"], otherwise: 1, "How many pods there should be."),
      TableColumn(number: "Current", at: ["status", "replicas"], "How many pods there are."),
      TableColumn(number: "Ready", at: ["status", "readyReplicas"], "How many pods are ready."),
      .age,
    ] + ofContainers(["spec", "template"])

  private static let readyReplicas = TableColumn(text: "Ready", "How many of the pods are ready.") { object in
    // The API's default is one.
    "\(object.number("status", "readyReplicas"))/\(object.json[["spec", "replicas"]]?.integer ?? 1)"
  }

  /// The containers of a template of pods.
  private static func ofContainers(_ template: [String]) -> [TableColumn] {
    func list(_ field: String) -> @Sendable (TabledObject) -> String {
      { object in
        let containers = object.json[template + ["spec", "containers"]]?.array ?? []
        return containers.map { $0[field]?.string ?? "" }.joined(separator: ",")
      }
    }
    return [
      TableColumn(text: "Containers", isWide: true, "The names of the template's containers.", cell: list("name")),
      TableColumn(text: "Images", isWide: true, "The images of the template's containers.", cell: list("image")),
    ]
  }

  private static func selector(_ cell: @escaping @Sendable (TabledObject) -> String) -> TableColumn {
    TableColumn(text: "Selector", isWide: true, "The labels of the object's pods.", cell: cell)
  }

  /// A `metav1.LabelSelector` in a field of that name.
  private static func selector(at path: [String]) -> TableColumn {
    selector { SelectorText.selector($0.json[path + ["selector"]]) }
  }
}
