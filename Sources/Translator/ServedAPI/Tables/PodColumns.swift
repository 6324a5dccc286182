internal import Text

extension TableColumn {
  static let ofPods: [TableColumn] = [
    .name,
    TableColumn(text: "Ready", "How many of the pod's containers are ready.") {
      let state = PodStatusText($0)
      return "\(state.ready)/\(state.containers)"
    },
    TableColumn(text: "Status", "What the pod's containers do, in a word.") { PodStatusText($0).reason },
    TableColumn(text: "Restarts", "How often the pod's containers were started again.") { pod in
      let state = PodStatusText(pod)
      guard state.restarts != 0, let last = state.lastRestart else { return "\(state.restarts)" }
      return "\(state.restarts) (\(humanDuration(pod.now - last)) ago)"
    },
    .age,
    TableColumn(text: "IP", isWide: true, "The pod's first address.") { pod in
      pod.values("status", "podIPs").first?["ip"]?.string ?? pod.text("status", "podIP", otherwise: "<none>")
    },
    TableColumn(text: "Node", isWide: true, "The node to which the pod is bound.") {
      $0.text("spec", "nodeName", otherwise: "<none>")
    },
    TableColumn(text: "Nominated Node", isWide: true, "The node on which the pod waits for others to go.") {
      $0.text("status", "nominatedNodeName", otherwise: "<none>")
    },
    TableColumn(text: "Readiness Gates", isWide: true, "How many of the further conditions of readiness are true.") {
      pod in
      let gates = pod.values("spec", "readinessGates").compactMap { $0["conditionType"]?.string }
      if gates.isEmpty { return "<none>" }
      let met = gates.count { pod.condition($0)?["status"]?.string == "True" }
      return "\(met)/\(gates.count)"
    },
  ]
}

extension TabledObject {
  /// The first condition of a type in the status.
  func condition(_ type: String) -> JSON? { values("status", "conditions").first { $0["type"]?.string == type } }
  func isTrue(_ condition: String) -> Bool { self.condition(condition)?["status"]?.string == "True" }

  /// That a pod will run no more (`metav1.TableRowCondition`).
  var completion: JSON? {
    let phase = text("status", "phase")
    let messages = ["Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."]
    return messages[phase].map {
      ["type": "Completed", "status": "True", "reason": .string(phase), "message": .string($0)]
    }
  }
}

/// What kubectl tells of a pod's containers (`printPod`).
struct PodStatusText: Sendable {
  private(set) var reason: String
  private(set) var ready = 0
  private(set) var containers: Int
  private(set) var restarts = 0
  /// When a container ended for the last time before it was started again, in seconds since 1970.
  private(set) var lastRestart: Int?

  init(_ pod: TabledObject) {
    let phase = pod.text("status", "phase")
    reason = pod.text("status", "reason", otherwise: phase)
    if pod.condition("PodScheduled")?["reason"]?.string == "SchedulingGated" { reason = "SchedulingGated" }
    let initContainers = pod.values("spec", "initContainers")
    let sidecars = Set(
      initContainers.lazy.filter { $0["restartPolicy"]?.string == "Always" }.compactMap { $0["name"]?.string })
    containers = pod.values("spec", "containers").count + sidecars.count

    let isInitializing = readInitContainers(pod, sidecars, count: initContainers.count)
    if !isInitializing || pod.isTrue("Initialized") { readContainers(pod, sidecars) }

    guard pod.isBeingDeleted else { return }
    if pod.text("status", "reason") == "NodeLost" {
      reason = "Unknown"
    } else if !["Succeeded", "Failed"].contains(phase) {
      reason = "Terminating"
    }
  }

  /// Whether one of the init containers hasn't done its work. What comes after it doesn't count.
  private mutating func readInitContainers(_ pod: TabledObject, _ sidecars: Set<String>, count: Int) -> Bool {
    for (index, status) in pod.values("status", "initContainerStatuses").enumerated() {
      noteRestarts(status)
      let terminated = status["state"]?["terminated"]
      if let terminated, terminated["exitCode"]?.integer ?? 0 == 0 { continue }
      if sidecars.contains(status["name"]?.string ?? ""), status["started"]?.bool == true {
        if status["ready"]?.bool == true { ready += 1 }
        continue
      }
      if let terminated {
        reason = "Init:" + Self.ending(terminated)
      } else if let waiting = Self.waiting(status), waiting != "PodInitializing" {
        reason = "Init:" + waiting
      } else {
        reason = "Init:\(index)/\(count)"
      }
      return true
    }
    return false
  }

  /// Restarts of init containers that are no sidecars don't count any more.
  private mutating func readContainers(_ pod: TabledObject, _ sidecars: Set<String>) {
    (restarts, lastRestart) = (0, nil)
    for status in pod.values("status", "initContainerStatuses") where sidecars.contains(status["name"]?.string ?? "") {
      noteRestarts(status)
    }
    var hasRunning = false
    // The first container has the last word.
    for status in pod.values("status", "containerStatuses").reversed() {
      noteRestarts(status)
      if let waiting = Self.waiting(status) {
        reason = waiting
      } else if let terminated = status["state"]?["terminated"] {
        reason = Self.ending(terminated)
      } else if status["ready"]?.bool == true, status["state"]?["running"] != nil {
        hasRunning = true
        ready += 1
      }
    }
    if reason == "Completed", hasRunning { reason = pod.isTrue("Ready") ? "Running" : "NotReady" }
  }

  private mutating func noteRestarts(_ status: JSON) {
    restarts &+= status["restartCount"]?.integer ?? 0
    if let end = status[["lastState", "terminated", "finishedAt"]]?.string.flatMap(RFC3339.seconds) {
      lastRestart = max(lastRestart ?? end, end)
    }
  }

  /// Why a container waits: `CrashLoopBackOff`.
  private static func waiting(_ status: JSON) -> String? {
    status[["state", "waiting", "reason"]]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// How a container ended: `Completed`, `OOMKilled`, `ExitCode:2`.
  private static func ending(_ terminated: JSON) -> String {
    if let reason = terminated["reason"]?.string, !reason.isEmpty { return reason }
    let signal = terminated["signal"]?.integer ?? 0
    return signal != 0 ? "Signal:\(signal)" : "ExitCode:\(terminated["exitCode"]?.integer ?? 0)"
  }
}
