// Not covered: workloads, slices, and whether real clients are content with these objects.
import NetpolModel
import Testing
import Text

@testable import ServedAPI

@Suite("The scheduler, the kubelets and the nodes") struct PodControllerTests {
  @Test("a pod gets a node, then runs with an address, each at its time") func pace() {
    var it = SimulatedCluster(pace: .init(bind: 30, start: 100, stop: 50))
    it.create(.pods, "a", .pod())
    it.run(29)
    #expect(it.get(.pods, "a")?.nodeName == nil)
    it.run(1)
    #expect(it.get(.pods, "a")?.nodeName == "node0")
    #expect(it.get(.pods, "a")?.isTrue("PodScheduled") == true && it.get(.pods, "a")?.phase == "Pending")
    it.run(99)
    #expect(it.get(.pods, "a")?.podIP == nil)
    it.run(1)
    let pod = it.get(.pods, "a")
    #expect(pod?.phase == "Running" && pod?.podIP == "10.42.0.2")
    #expect(pod?.at("status", "podIPs") == [["ip": "10.42.0.2"]])
    #expect(pod?.at("status", "hostIP") == "192.168.20.11")
    #expect(pod?.at("status", "qosClass") == "BestEffort")
    #expect(pod?.at("status", "containerStatuses")?.array.first?["ready"] == true)
    for condition in ["Initialized", "PodReadyToStartContainers", "ContainersReady", "Ready"] {
      #expect(pod?.isTrue(condition) == true)
    }
    it.delete(.pods, "a")
    #expect(
      it.get(.pods, "a")?.isMarked == true && it.get(.pods, "a")?.at("metadata", "deletionGracePeriodSeconds") == 30)
    it.run(49)
    #expect(it.get(.pods, "a") != nil)
    it.run(1)
    #expect(it.get(.pods, "a") == nil)
    #expect(it.cluster.controllers.nextDue == nil)
  }

  @Test("pods are spread, and go by name where nodes are equal") func spread() {
    var it = SimulatedCluster(nodes: 3)
    for number in 0..<7 { it.create(.pods, "p\(number)", .pod()) }
    it.run(1000)
    #expect(it.all(.pods).map(\.nodeName) == ["node0", "node1", "node2", "node0", "node1", "node2", "node0"])
  }

  @Test("a pod goes only where its selector, its affinity and the taints let it") func fitting() {
    var it = SimulatedCluster(nodes: 0)
    it.create(.nodes, "plain", .empty)
    it.create(.nodes, "cordoned", ["spec": ["unschedulable": true]])
    it.create(.nodes, "ssd", ["metadata": ["labels": ["disk": "ssd", "size": "9"]]])
    it.create(.nodes, "tainted", ["spec": ["taints": [["key": "own", "value": "x", "effect": "NoSchedule"]]]])
    it.create(
      .nodes, "soft",
      ["metadata": ["labels": ["soft": ""]], "spec": ["taints": [["key": "own", "effect": "PreferNoSchedule"]]]])
    let cases: [(name: String, spec: [String: JSON], nodes: Set<String>)] = [
      ("ssd", ["nodeSelector": ["disk": "ssd"]], ["ssd"]),
      ("none", ["nodeSelector": ["disk": "tape"]], [""]),
      ("soft", ["nodeSelector": ["soft": ""]], ["soft"]),
      ("repelled", ["nodeSelector": ["kubernetes.io/hostname": "tainted"]], [""]),
      ("cordoned", ["nodeSelector": ["kubernetes.io/hostname": "cordoned"]], [""]),
      (
        "tolerant",
        ["nodeSelector": ["kubernetes.io/hostname": "tainted"], "tolerations": [["key": "own", "value": "x"]]],
        ["tainted"]
      ),
      (
        "exists", ["nodeSelector": ["kubernetes.io/hostname": "tainted"], "tolerations": [["operator": "Exists"]]],
        ["tainted"]
      ),
      (
        "othervalue",
        ["nodeSelector": ["kubernetes.io/hostname": "tainted"], "tolerations": [["key": "own", "value": "y"]]], [""]
      ),
      (
        "affine",
        [
          "affinity": [
            "nodeAffinity": [
              "requiredDuringSchedulingIgnoredDuringExecution": [
                "nodeSelectorTerms": [["matchExpressions": [["key": "size", "operator": "Gt", "values": ["8"]]]]]
              ]
            ]
          ]
        ], ["ssd"]
      ),
    ]
    for one in cases { it.create(.pods, one.name, .pod(spec: one.spec)) }
    it.run(1000)
    for one in cases {
      #expect(one.nodes.contains(it.get(.pods, one.name)?.nodeName ?? ""), "\(one.name)")
    }
    let condition = it.get(.pods, "none")?.at("status", "conditions")?.array.first
    #expect(condition?["reason"] == "Unschedulable" && condition?["status"] == "False")
  }

  @Test("a pod that no node took goes to the first that does") func retry() {
    var it = SimulatedCluster(nodes: 0)
    it.create(.pods, "a", .pod(spec: ["nodeSelector": ["disk": "ssd"]]))
    it.run(1000)
    #expect(it.get(.pods, "a")?.nodeName == nil && it.cluster.controllers.nextDue == nil)
    it.create(.nodes, "n", ["metadata": ["labels": ["disk": "hdd"]]])
    it.run(1000)
    #expect(it.get(.pods, "a")?.nodeName == nil)
    it.update(.nodes, "n") { $0[["metadata", "labels", "disk"]] = "ssd" }
    it.run(1000)
    #expect(it.get(.pods, "a")?.nodeName == "n" && it.get(.pods, "a")?.phase == "Running")
  }

  @Test("a pod of the host network has its node's addresses") func hostNetwork() {
    var it = SimulatedCluster(nodes: 0)
    let addresses: JSON = [
      ["type": "Hostname", "address": "n"], ["type": "InternalIP", "address": "10.0.0.7"],
      ["type": "InternalIP", "address": "fd00::7"],
    ]
    it.create(.nodes, "n", ["spec": ["podCIDRs": ["10.1.0.0/24", "fd01::/64"]], "status": ["addresses": addresses]])
    it.create(.pods, "host", .pod(spec: ["hostNetwork": true]))
    it.create(.pods, "own", .pod())
    it.run(1000)
    #expect(it.get(.pods, "host")?.at("status", "podIPs") == [["ip": "10.0.0.7"], ["ip": "fd00::7"]])
    #expect(it.get(.pods, "own")?.at("status", "podIPs") == [["ip": "10.1.0.2"], ["ip": "fd01::2"]])
  }

  @Test("addresses go round, and a pod waits until one is free") func addresses() {
    var it = SimulatedCluster(nodes: 0, pace: .init(bind: 0, start: 0, stop: 0))
    it.create(.nodes, "n", ["spec": ["podCIDR": "10.1.0.0/29"]])
    // 2 to 6: neither the network, the gateway, nor the broadcast address.
    for number in 0..<6 {
      it.create(.pods, "p\(number)", .pod())
      it.run(0)
    }
    #expect(it.all(.pods).map(\.podIP) == ["10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.6", nil])
    it.delete(.pods, "p1")
    it.run(0)
    #expect(it.get(.pods, "p5")?.podIP == "10.1.0.3")
    it.delete(.pods, "p0")
    it.delete(.pods, "p4")
    it.run(0)
    it.create(.pods, "q", .pod())
    it.run(0)
    #expect(it.get(.pods, "q")?.podIP == "10.1.0.6")
  }

  @Test("what the input says of a pod stays") func input() {
    var it = SimulatedCluster()
    var pod = JSON.pod(spec: ["nodeName": "node1"])
    pod["status"] = ["phase": "Running", "podIP": "10.42.1.2", "conditions": [["type": "Ready", "status": "False"]]]
    it.create(.pods, "unready", pod)
    pod["status"] = ["podIP": "10.42.1.3"]
    it.create(.pods, "addressed", pod)
    pod["status"] = ["phase": "Succeeded"]
    it.create(.pods, "done", pod)
    pod["status"] = ["phase": "Pending", "startTime": "2026-01-01T00:00:00Z"]
    it.create(.pods, "stuck", pod)
    let unready = it.get(.pods, "unready")
    let stuck = it.get(.pods, "stuck")
    it.run(1000)
    #expect(it.get(.pods, "unready") == unready && it.get(.pods, "stuck") == stuck)
    #expect(it.get(.pods, "addressed")?.phase == "Running" && it.get(.pods, "addressed")?.podIP == "10.42.1.3")
    #expect(it.get(.pods, "done")?.phase == "Succeeded" && it.get(.pods, "done")?.podIP == nil)
    it.create(.pods, "new", .pod(spec: ["nodeName": "node1"]))
    it.run(1000)
    #expect(it.get(.pods, "new")?.podIP == "10.42.1.4")
  }

  @Test("pods that don't tolerate a NoExecute taint go elsewhere") func eviction() {
    var it = SimulatedCluster(nodes: 1)
    it.create(.replicaSets, "web", .workload("web", replicas: 2))
    it.create(.pods, "tolerant", .pod(spec: ["tolerations": [["key": "down", "operator": "Exists"]]]))
    it.run(1000)
    it.update(.nodes, "node0") { $0[["spec", "taints"]] = [["key": "down", "effect": "NoExecute"]] }
    it.run(1000)
    #expect(it.get(.pods, "tolerant")?.phase == "Running")
    #expect(it.all(.pods).map { $0.nodeName ?? "" } == ["node0", "", ""])
  }

  @Test("the pods of a node that is gone are removed") func lostNode() {
    var it = SimulatedCluster(nodes: 1)
    it.create(.pods, "a", .pod())
    it.run(1000)
    it.delete(.nodes, "node0")
    it.run(199)
    #expect(it.names(.pods) == ["a"])
    it.run(1)
    #expect(it.names(.pods) == [])
    it.create(.pods, "nowhere", .pod(spec: ["nodeName": "node9"]))
    it.run(1000)
    #expect(it.names(.pods) == [])
  }

  @Test("a pod that came before its node runs when the node is there") func early() {
    var it = SimulatedCluster(nodes: 0)
    it.create(.pods, "a", .pod(spec: ["nodeName": "n"]))
    it.run(100)
    it.create(.nodes, "n", .empty)
    it.run(1000)
    #expect(it.get(.pods, "a")?.phase == "Running")
  }

  @Test("nodes get what they lack: addresses, networks, a label, conditions") func nodes() {
    var it = SimulatedCluster(nodes: 0)
    it.create(
      .nodes, "has",
      [
        "spec": ["podCIDR": "10.42.0.0/23"],
        "status": ["addresses": [["type": "InternalIP", "address": "192.168.20.12"]]],
      ])
    for name in ["x", "y"] { it.create(.nodes, name, .empty) }
    it.run(0)
    let addresses = it.all(.nodes, namespace: nil).map { NodeState($0.name, $0).addresses.map(\.description) }
    #expect(addresses == [["192.168.20.12"], ["192.168.20.11"], ["192.168.20.13"]])
    let networks = it.all(.nodes, namespace: nil).map { NodeState($0.name, $0).podCIDRs.map(\.description) }
    #expect(networks == [["10.42.0.0/23"], ["10.42.2.0/24"], ["10.42.3.0/24"]])
    #expect(
      it.all(.nodes, namespace: nil).allSatisfy { $0.isTrue("Ready") && $0.labels["kubernetes.io/hostname"] == $0.name }
    )
    it.delete(.nodes, "x")
    it.create(.nodes, "z", .empty)
    it.run(0)
    #expect(it.get(.nodes, "z", namespace: "")?.at("spec", "podCIDR") == "10.42.2.0/24")
  }

  @Test("a node's network is where its pods have their addresses") func nodeOfPods() {
    var it = SimulatedCluster(nodes: 0)
    var pod = JSON.pod(spec: ["nodeName": "b"])
    pod["status"] = ["phase": "Running", "podIP": "10.42.0.9"]
    it.create(.pods, "p", pod)
    for name in ["a", "b"] { it.create(.nodes, name, .empty) }
    it.run(0)
    #expect(it.get(.nodes, "b", namespace: "")?.at("spec", "podCIDR") == "10.42.0.0/24")
    #expect(it.get(.nodes, "a", namespace: "")?.at("spec", "podCIDR") == "10.42.1.0/24")
  }

  @Test("more nodes than a /24 has hosts get addresses of the next one") func manyNodes() {
    var it = SimulatedCluster(nodes: 300)
    let nodes = it.all(.nodes, namespace: nil).map { NodeState($0.name, $0) }
    #expect(Set(nodes.flatMap(\.addresses)).count == 300)
    #expect(nodes.flatMap(\.addresses).contains { $0.description == "192.168.21.1" })
    // There are only 256 networks.
    #expect(Set(nodes.flatMap(\.podCIDRs)).count == 256)
    it.run(1000)
    #expect(it.cluster.controllers.nextDue == nil)
  }

  @Test(
    "the quality of service follows from requests and limits",
    arguments: [
      ("{}", "BestEffort"), (#"{"requests":{"cpu":"1"}}"#, "Burstable"),
      (#"{"limits":{"cpu":"1","memory":"1Gi"}}"#, "Guaranteed"),
      (#"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}}"#, "Burstable"),
    ])
  func quality(resources: String, expected: String) throws {
    var it = SimulatedCluster()
    var pod = JSON.pod()
    pod.eachEntry(of: ["spec", "containers"]) { $0["resources"] = Self.resources[resources] }
    it.create(.pods, "a", pod)
    it.run(1000)
    #expect(it.get(.pods, "a")?.at("status", "qosClass")?.string == expected)
  }

  private static let resources: [String: JSON] = [
    "{}": [:], #"{"requests":{"cpu":"1"}}"#: ["requests": ["cpu": "1"]],
    #"{"limits":{"cpu":"1","memory":"1Gi"}}"#: ["limits": ["cpu": "1", "memory": "1Gi"]],
    #"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}}"#: [
      "limits": ["cpu": "1", "memory": "1Gi"], "requests": ["cpu": "500m"],
    ],
  ]
}
