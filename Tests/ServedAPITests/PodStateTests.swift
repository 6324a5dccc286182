// Not covered: pods whose status contradicts their spec.
import ServedAPI
import Testing
import Text

@Suite("A pod's state in a word") struct PodStateTests {
  static let now = 1_769_860_800

  /// Ready, status and restarts, as kubectl prints them.
  static func line(_ pod: JSON) -> String {
    let cells = ObjectTable(of: .pods, now: now).row(pod)["cells"]?.array ?? []
    return cells.dropFirst().prefix(3).map { $0.string ?? $0.text }.joined(separator: " ")
  }

  static func pod(_ status: JSON, containers: Int = 1, initContainers: JSON = [], isBeingDeleted: Bool = false) -> JSON
  {
    var pod: JSON = [
      "metadata": ["name": "p"],
      "spec": [
        "containers": .array((0..<containers).map { ["name": .string("c\($0)")] }), "initContainers": initContainers,
      ],
      "status": status,
    ]
    if isBeingDeleted { pod[["metadata", "deletionTimestamp"]] = "2026-01-31T12:00:00Z" }
    return pod
  }

  static let running: JSON = ["name": "c", "ready": true, "restartCount": 0, "state": ["running": [:]]]
  static let completed: JSON = [
    "name": "c", "ready": false, "state": ["terminated": ["exitCode": 0, "reason": "Completed"]],
  ]

  static func waiting(_ reason: String, restarts: Int = 0) -> JSON {
    [
      "name": "c", "ready": false, "restartCount": .integer(restarts),
      "state": ["waiting": ["reason": .string(reason)]],
    ]
  }

  @Test(
    "the containers decide, then the deletion",
    arguments: [
      (pod(["phase": "Pending"]), "0/1 Pending 0"),
      (pod(["phase": "Running", "containerStatuses": [running]]), "1/1 Running 0"),
      (pod(["phase": "Running", "containerStatuses": [running]], isBeingDeleted: true), "1/1 Terminating 0"),
      (
        pod(["phase": "Running", "reason": "NodeLost", "containerStatuses": [running]], isBeingDeleted: true),
        "1/1 Unknown 0"
      ),
      (pod(["phase": "Failed", "reason": "Evicted"]), "0/1 Evicted 0"),
      (pod(["phase": "Failed", "reason": "Evicted"], isBeingDeleted: true), "0/1 Evicted 0"),
      (pod(["phase": "Succeeded", "containerStatuses": [completed]]), "0/1 Completed 0"),
      (pod(["phase": "Pending", "containerStatuses": [waiting("ContainerCreating")]]), "0/1 ContainerCreating 0"),
      (
        pod([
          "phase": "Pending",
          "conditions": [["type": "PodScheduled", "status": "False", "reason": "SchedulingGated"]],
        ]), "0/1 SchedulingGated 0"
      ),
      (
        pod(
          ["phase": "Running", "containerStatuses": [running, waiting("CrashLoopBackOff", restarts: 3)]], containers: 2),
        "1/2 CrashLoopBackOff 3"
      ),
      (
        pod(["phase": "Running", "containerStatuses": [waiting("First"), waiting("Second")]], containers: 2),
        "0/2 First 0"
      ),
      (
        pod(["phase": "Failed", "containerStatuses": [["state": ["terminated": ["exitCode": 2]]]]]),
        "0/1 ExitCode:2 0"
      ),
      (
        pod(["phase": "Failed", "containerStatuses": [["state": ["terminated": ["exitCode": 137, "signal": 9]]]]]),
        "0/1 Signal:9 0"
      ),
    ])
  func containers(pod: JSON, expected: String) { #expect(Self.line(pod) == expected) }

  @Test("a pod of which one container is done and another runs is running or not ready") func half() {
    let statuses: JSON = [Self.completed, Self.running]
    let ready: JSON = [
      "phase": "Running", "conditions": [["type": "Ready", "status": "True"]], "containerStatuses": statuses,
    ]
    #expect(Self.line(Self.pod(ready, containers: 2)) == "1/2 Running 0")
    #expect(
      Self.line(Self.pod(["phase": "Running", "containerStatuses": statuses], containers: 2)) == "1/2 NotReady 0")
  }

  @Test(
    "the first init container that isn't done has the word",
    arguments: [
      ([waiting("PodInitializing")], "Init:0/2"), ([completed, running], "Init:1/2"),
      ([waiting("ImagePullBackOff")], "Init:ImagePullBackOff"),
      ([completed, ["state": ["terminated": ["exitCode": 3]]]], "Init:ExitCode:3"),
      ([["state": ["terminated": ["exitCode": 3, "reason": "Error"]]]], "Init:Error"),
      ([completed, completed], "PodInitializing"),
    ] as [([JSON], String)])
  func initContainers(statuses: [JSON], expected: String) {
    let pod = Self.pod(
      [
        "phase": "Pending", "initContainerStatuses": .array(statuses),
        "containerStatuses": [Self.waiting("PodInitializing")],
      ],
      initContainers: [["name": "a"], ["name": "b"]])
    #expect(Self.line(pod) == "0/1 \(expected) 0")
  }

  @Test("a sidecar that hasn't started holds the pod back, and is no container that is ready") func startingSidecar() {
    let proxy: JSON = ["name": "proxy", "started": false, "ready": false, "state": ["running": [:]]]
    let pod = Self.pod(
      ["phase": "Pending", "initContainerStatuses": [proxy], "containerStatuses": [Self.waiting("PodInitializing")]],
      initContainers: [["name": "proxy", "restartPolicy": "Always"]])
    #expect(Self.line(pod) == "0/2 Init:0/1 0")
  }

  @Test("the containers have the word once the pod was initialized, even if an init container runs again")
  func initializedBefore() {
    let pod = Self.pod(
      [
        "phase": "Running", "conditions": [["type": "Initialized", "status": "True"]],
        "initContainerStatuses": [Self.waiting("CrashLoopBackOff", restarts: 2)],
        "containerStatuses": [Self.waiting("Later")],
      ], initContainers: [["name": "c"]])
    #expect(Self.line(pod) == "0/1 Later 0")
  }

  @Test("sidecars count as containers, and their restarts stay") func sidecars() {
    let proxy: JSON = [
      "name": "proxy", "started": true, "ready": true, "restartCount": 2, "state": ["running": [:]],
      "lastState": ["terminated": ["finishedAt": "2026-01-31T11:55:00Z"]],
    ]
    let setup: JSON = [
      "name": "setup", "restartCount": 5, "state": ["terminated": ["exitCode": 0, "reason": "Completed"]],
    ]
    let pod = Self.pod(
      ["phase": "Running", "initContainerStatuses": [setup, proxy], "containerStatuses": [Self.running]],
      initContainers: [["name": "setup"], ["name": "proxy", "restartPolicy": "Always"]])
    #expect(Self.line(pod) == "2/2 Running 2 (5m ago)")
  }

  @Test("counts that no pod has are no trap") func overflow() {
    let status: JSON = ["name": "c", "restartCount": .integer(.max), "state": ["running": [:]]]
    #expect(
      Self.line(Self.pod(["phase": "Running", "containerStatuses": [status, status]])).hasPrefix("0/1 Running -2"))
  }

  @Test("the wide columns tell where a pod is") func wide() {
    let pod: JSON = [
      "spec": ["nodeName": "n1", "readinessGates": [["conditionType": "a"], ["conditionType": "b"]]],
      "status": [
        "podIP": "10.0.0.1", "podIPs": [["ip": "10.0.0.1"], ["ip": "fd00::1"]],
        "conditions": [["type": "b", "status": "True"]],
      ],
    ]
    let cells = { (pod: JSON) in
      ObjectTable(of: .pods, now: 0).row(pod)["cells"]?.array.suffix(4).compactMap(\.string) ?? []
    }
    #expect(cells(pod) == ["10.0.0.1", "n1", "<none>", "1/2"])
    #expect(cells([:]) == ["<none>", "<none>", "<none>", "<none>"])
    #expect(cells(["status": ["podIP": "10.0.0.2"]]).first == "10.0.0.2")
  }

  @Test("a pod that runs no more says so in its row") func completion() {
    let row = { (phase: JSON) in ObjectTable(of: .pods, now: 0).row(Self.pod(["phase": phase])) }
    #expect(row("Succeeded")["conditions"]?.array.first?["type"] == "Completed")
    #expect(row("Failed")["conditions"]?.array.first?["reason"] == "Failed")
    #expect(row("Running")["conditions"] == nil)
  }
}
