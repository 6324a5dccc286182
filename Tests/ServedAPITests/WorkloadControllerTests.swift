// Not covered: minReadySeconds, progress deadlines, schedules of CronJobs, and volumes of StatefulSets.
import NetpolModel
import Testing
import Text

@testable import ServedAPI

@Suite("Workloads") struct WorkloadControllerTests {
  static func images(_ it: SimulatedCluster) -> Set<String> {
    Set(it.all(.pods).compactMap { $0.at("spec", "containers")?.array.first?["image"]?.string })
  }

  static func setImage(_ image: JSON) -> (inout JSON) -> Void {
    { json in json.eachEntry(of: ["spec", "template", "spec", "containers"]) { $0["image"] = image } }
  }

  @Test("a Deployment makes a ReplicaSet, and that makes pods that run") func deployment() {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 3))
    it.run(2000)
    let sets = it.all(.replicaSets)
    #expect(sets.count == 1)
    let hash = sets.first?.labels["pod-template-hash"] ?? ""
    #expect(sets.first?.name == "web-\(hash)" && !hash.isEmpty)
    #expect(sets.first?.at("metadata", "annotations", "deployment.kubernetes.io/revision") == "1")
    let pods = it.all(.pods)
    #expect(pods.count == 3 && pods.allSatisfy { $0.phase == "Running" })
    for pod in pods {
      #expect(pod.name.hasPrefix("web-\(hash)-") && pod.name.utf8.count == "web-\(hash)-".utf8.count + 5)
      #expect(pod.labels == ["app": "web", "pod-template-hash": hash])
      #expect(pod.controllerReference?["uid"]?.string == sets.first?.uid)
      #expect(pod.controllerReference?["blockOwnerDeletion"] == true)
      #expect(pod.at("spec", "dnsPolicy") == "ClusterFirst" && !pod.uid.isEmpty)
    }
    let deployment = it.get(.deployments, "web")
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
      #expect(deployment?.at("status", field) == 3, "\(field)")
    }
    #expect(deployment?.at("status", "observedGeneration") == deployment?.at("metadata", "generation"))
    #expect(deployment?.isTrue("Available") == true && deployment?.isTrue("Progressing") == true)
    #expect(it.cluster.controllers.nextDue == nil)
  }

  @Test("a Deployment scales up and down", arguments: [5, 1, 0]) func scaling(count: Int) {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 3))
    it.run(2000)
    let before = Set(it.names(.pods))
    it.update(.deployments, "web") { $0[["spec", "replicas"]] = .integer(count) }
    it.run(2000)
    let after = Set(it.names(.pods))
    #expect(after.count == count && (before.isSubset(of: after) || after.isSubset(of: before)))
    #expect(it.all(.replicaSets).map { $0.at("status", "replicas") } == [.integer(count)])
    #expect(it.get(.deployments, "web")?.at("status", "updatedReplicas") ?? 0 == .integer(count))
  }

  @Test("another template makes another ReplicaSet, without fewer pods than may be") func rollout() {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 4))
    it.run(2000)
    it.update(.deployments, "web", Self.setImage("example.org/app:2"))
    var least = 4
    for _ in 0..<300 {
      it.run(10)
      least = min(least, it.all(.pods).count { $0.isTrue("Ready") && !$0.isMarked })
      #expect(it.all(.pods).count { !$0.isMarked } <= 5)
    }
    #expect(least == 3)
    #expect(Self.images(it) == ["example.org/app:2"] && it.all(.pods).count == 4)
    let counts = it.all(.replicaSets).map { $0.at("spec", "replicas")?.integer ?? -1 }
    #expect(counts.sorted() == [0, 4])
    let deployment = it.get(.deployments, "web")
    #expect(deployment?.at("metadata", "annotations", "deployment.kubernetes.io/revision") == "2")
    #expect(deployment?.at("status", "updatedReplicas") == 4 && deployment?.at("status", "replicas") == 4)
    // Back again.
    it.update(.deployments, "web", Self.setImage("example.org/app:1"))
    it.run(5000)
    #expect(it.all(.replicaSets).count == 2 && Self.images(it) == ["example.org/app:1"])
    #expect(it.get(.deployments, "web")?.at("metadata", "annotations", "deployment.kubernetes.io/revision") == "3")
  }

  @Test("a Deployment that recreates has no pods of both templates at once") func recreate() {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 2, ["strategy": ["type": "Recreate"]]))
    it.run(2000)
    it.update(.deployments, "web", Self.setImage("example.org/app:2"))
    for _ in 0..<200 {
      it.run(10)
      #expect(Self.images(it).count <= 1)
    }
    #expect(Self.images(it) == ["example.org/app:2"] && it.all(.pods).count == 2)
  }

  @Test("only so many old ReplicaSets stay") func history() {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 1, ["revisionHistoryLimit": 2]))
    for number in 0..<6 {
      it.update(.deployments, "web", Self.setImage(.string("example.org/app:\(number)")))
      it.run(3000)
    }
    #expect(it.all(.replicaSets).count == 3)
  }

  @Test("a pod that goes is replaced, one that matches is taken, one that ceases to match is let go") func replicaSet()
  {
    var it = SimulatedCluster()
    it.create(.pods, "bare", .pod(["app": "web"]))
    it.create(.replicaSets, "web", .workload("web", replicas: 3))
    it.run(2000)
    let uid = it.get(.replicaSets, "web")?.uid
    #expect(it.all(.pods).count == 3)
    #expect(it.get(.pods, "bare")?.controllerReference?["uid"]?.string == uid)
    it.delete(.pods, "bare")
    it.run(2000)
    #expect(it.all(.pods).count == 3 && it.get(.pods, "bare") == nil)
    let name = it.names(.pods)[0]
    it.update(.pods, name) { $0[["metadata", "labels", "app"]] = "debug" }
    it.run(2000)
    #expect(it.get(.pods, name)?.ownerReferences == [] && it.all(.pods).count == 4)
    it.update(.pods, name) { $0[["metadata", "labels", "app"]] = "web" }
    it.run(2000)
    #expect(it.all(.pods).count == 3)
    #expect(it.get(.replicaSets, "web")?.at("status", "readyReplicas") == 3)
  }

  @Test("a ReplicationController has a plain selector") func replicationController() {
    var it = SimulatedCluster()
    it.create(.replicationControllers, "rc", .workload("rc", replicas: 2, ["selector": ["app": "rc"]]))
    it.run(2000)
    #expect(it.all(.pods).count == 2 && it.get(.replicationControllers, "rc")?.at("status", "readyReplicas") == 2)
  }

  @Test("a workload whose pods wouldn't be its own makes none") func strangers() {
    var it = SimulatedCluster()
    var json = JSON.workload("web", replicas: 3)
    json[["spec", "template", "metadata", "labels", "app"]] = "other"
    for type in [ResourceType.deployments, .replicaSets, .statefulSets, .daemonSets] { it.create(type, "x", json) }
    it.run(5000)
    #expect(it.names(.pods) == [] && it.names(.replicaSets).count == 1 && it.cluster.controllers.nextDue == nil)
  }

  @Test("the pods of a StatefulSet are numbered, and are replaced from the last one") func statefulSet() {
    var it = SimulatedCluster()
    it.create(.statefulSets, "db", .workload("db", replicas: 3, ["serviceName": "db"]))
    it.run(2000)
    #expect(it.names(.pods) == ["db-0", "db-1", "db-2"])
    let pod = it.get(.pods, "db-1")
    #expect(pod?.labels["statefulset.kubernetes.io/pod-name"] == "db-1")
    #expect(pod?.labels["apps.kubernetes.io/pod-index"] == "1")
    #expect(pod?.at("spec", "hostname") == "db-1" && pod?.at("spec", "subdomain") == "db")
    it.update(.statefulSets, "db", Self.setImage("example.org/app:2"))
    it.run(300)
    #expect(
      it.get(.statefulSets, "db")?.at("status", "currentRevision")
        != it.get(.statefulSets, "db")?.at("status", "updateRevision"))
    it.run(5000)
    #expect(it.names(.pods) == ["db-0", "db-1", "db-2"] && Self.images(it) == ["example.org/app:2"])
    let status = it.get(.statefulSets, "db")?["status"]
    #expect(status?["currentRevision"] == status?["updateRevision"] && status?["updatedReplicas"] == 3)
    it.update(.statefulSets, "db") { $0[["spec", "replicas"]] = 1 }
    it.run(2000)
    #expect(it.names(.pods) == ["db-0"])
  }

  @Test("a StatefulSet waits for a name that another pod has") func takenName() {
    var it = SimulatedCluster()
    it.create(.pods, "db-0", .pod(["app": "other"]))
    it.create(.statefulSets, "db", .workload("db", replicas: 2))
    it.run(2000)
    #expect(it.get(.statefulSets, "db")?.at("status", "replicas") == 1 && it.cluster.controllers.nextDue == nil)
    it.delete(.pods, "db-0")
    it.run(2000)
    #expect(it.get(.statefulSets, "db")?.at("status", "replicas") == 2)
  }

  @Test("a StatefulSet and a DaemonSet of the input keep their pods") func revisionsOfInput() {
    var it = SimulatedCluster(nodes: 1)
    var set = JSON.workload("db", replicas: 1)
    set["status"] = ["updateRevision": "db-5d4f", "currentRevision": "db-5d4f"]
    it.create(.statefulSets, "db", set)
    it.create(.daemonSets, "agent", .workload("agent"))
    for (type, owner, name, app) in [
      (ResourceType.statefulSets, "db", "db-0", "db"), (.daemonSets, "agent", "agent-x", "agent"),
    ] {
      var pod = JSON.pod(
        ["app": app, "controller-revision-hash": app == "db" ? "db-5d4f" : "7c9"], spec: ["nodeName": "node0"])
      let key = ObjectKey(type, "shop", owner)
      pod[["metadata", "ownerReferences"]] = [it.cluster.store.json(key)?.reference(key) ?? .null]
      it.create(.pods, name, pod)
    }
    let uids = it.all(.pods).map(\.uid)
    it.run(3000)
    #expect(it.all(.pods).map(\.uid) == uids)
    it.update(.statefulSets, "db") { $0[["spec", "replicas"]] = 2 }
    it.run(3000)
    #expect(it.names(.pods) == ["agent-x", "db-0", "db-1"] && it.all(.pods).prefix(2).map(\.uid) == uids)
    it.update(.daemonSets, "agent", Self.setImage("example.org/app:2"))
    it.run(3000)
    #expect(it.get(.pods, "agent-x") == nil && it.all(.pods).count == 3)
  }

  @Test("a Deployment of the input keeps its ReplicaSet and its pods") func deploymentOfInput() {
    var it = SimulatedCluster()
    it.create(.deployments, "web", .workload("web", replicas: 1))
    let owner = ObjectKey(.deployments, "shop", "web")
    var set = JSON.workload("web", replicas: 1)
    for path in [["metadata"], ["spec", "template", "metadata"]] {
      set[path + ["labels", "pod-template-hash"]] = "abc"
    }
    set[["spec", "selector", "matchLabels", "pod-template-hash"]] = "abc"
    set[["metadata", "ownerReferences"]] = [it.cluster.store.json(owner)?.reference(owner) ?? .null]
    it.create(.replicaSets, "web-abc", set)
    it.run(2000)
    #expect(it.names(.replicaSets) == ["web-abc"] && it.all(.pods).count == 1)
  }

  @Test("a ReplicaSet that only its pods know of is made again") func lostReplicaSet() {
    var it = SimulatedCluster()
    var pod = JSON.pod(["app": "web", "pod-template-hash": "abc"])
    pod[["metadata", "ownerReferences"]] = [
      ["apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "uid": "u1", "controller": true]
    ]
    it.create(.pods, "web-abc-1", pod)
    it.create(.deployments, "web", .workload("web", replicas: 2))
    it.run(2000)
    #expect(it.names(.replicaSets) == ["web-abc"] && it.get(.replicaSets, "web-abc")?.uid == "u1")
    #expect(it.all(.pods).count == 2 && it.names(.pods).contains("web-abc-1"))
  }

  @Test("a DaemonSet has a pod on each node that takes it") func daemonSet() {
    var it = SimulatedCluster()
    it.create(.nodes, "cordoned", namespace: "", ["spec": ["unschedulable": true]])
    it.create(.nodes, "tainted", namespace: "", ["spec": ["taints": [["key": "own", "effect": "NoSchedule"]]]])
    it.create(.daemonSets, "agent", .workload("agent"))
    it.run(2000)
    #expect(it.all(.pods).map(\.nodeName).compactMap(\.self).sorted() == ["cordoned", "node0", "node1"])
    it.create(.nodes, "new", namespace: "")
    it.run(2000)
    #expect(it.all(.pods).count == 4)
    it.delete(.nodes, "node0")
    it.run(2000)
    #expect(it.all(.pods).count == 3)
    let status = it.get(.daemonSets, "agent")?["status"]
    for field in ["currentNumberScheduled", "desiredNumberScheduled", "numberReady", "updatedNumberScheduled"] {
      #expect(status?[field] == 3, "\(field)")
    }
    it.update(.daemonSets, "agent", Self.setImage("example.org/app:2"))
    it.run(5000)
    #expect(Self.images(it) == ["example.org/app:2"] && it.all(.pods).count == 3)
  }

  @Test("a Job has as many pods as run at a time, and a selector of its own") func job() {
    var it = SimulatedCluster()
    it.create(.jobs, "once", ["spec": ["parallelism": 3, "completions": 2, "template": .pod(["x": "y"])]])
    it.run(2000)
    let job = it.get(.jobs, "once")
    let uid = job?.uid ?? ""
    #expect(it.all(.pods).count == 2)
    for pod in it.all(.pods) {
      #expect(
        pod.labels == [
          "x": "y", "batch.kubernetes.io/job-name": "once", "job-name": "once", "controller-uid": uid,
          "batch.kubernetes.io/controller-uid": uid,
        ])
    }
    #expect(job?.at("spec", "selector", "matchLabels") == ["batch.kubernetes.io/controller-uid": .string(uid)])
    #expect(job?.at("status", "active") == 2 && job?.at("status", "ready") == 2)
    for name in it.names(.pods) { it.update(.pods, name) { $0[["status", "phase"]] = "Succeeded" } }
    it.run(2000)
    #expect(it.get(.jobs, "once")?.isTrue("Complete") == true && it.all(.pods).count == 2)
    it.create(.cronJobs, "later", ["spec": ["schedule": "* * * * *", "jobTemplate": ["spec": ["template": .pod()]]]])
    it.run(120_000)
    #expect(it.names(.jobs) == ["once"])
  }

  @Test("strange workloads do no harm") func strange() {
    var it = SimulatedCluster()
    let specs: [JSON] = [
      .null, [:], "x", ["replicas": "3"],
      ["replicas": -1, "selector": ["matchLabels": ["app": "x"]], "template": .pod(["app": "x"])],
      ["selector": ["matchExpressions": [["key": "a", "operator": "Odd"]]]], ["selector": [1]], ["template": 3],
      [
        "selector": ["matchLabels": ["app": "z"]], "template": ["metadata": ["labels": ["app": "z"]]], "replicas": 1,
        "strategy": ["rollingUpdate": ["maxSurge": "999999999999999999%", "maxUnavailable": .integer(.max)]],
        "ordinals": ["start": .integer(.max)], "parallelism": .integer(.max), "completions": 1,
      ],
    ]
    for type in ResourceType.builtIn {
      for (number, spec) in specs.enumerated() {
        it.create(
          type, "s\(number)", ["spec": spec, "status": spec, "metadata": ["ownerReferences": [3], "labels": 4]])
      }
    }
    it.run(10_000)
    for type in ResourceType.builtIn where type != .namespaces {
      for number in specs.indices { it.delete(type, "s\(number)", gracePeriod: number % 2 == 0 ? .max : .min) }
    }
    it.run(10_000)
    #expect(it.cluster.controllers.nextDue == nil)
  }
}
