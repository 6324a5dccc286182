// Not covered: what kubectl makes of a table.
import ServedAPI
import Testing
import Text

@Suite("Objects as tables") struct ObjectTableTests {
  static let now = 1_769_860_800
  static let created: JSON = "2026-01-31T11:59:00Z"

  /// The cells of an object's row, as text.
  static func cells(_ type: ResourceType, _ json: JSON) -> [String] {
    var json = json
    if json[["metadata", "name"]] == nil { json[["metadata", "name"]] = "x" }
    json[["metadata", "creationTimestamp"]] = created
    let cells = ObjectTable(of: type, now: now).row(json)["cells"]?.array ?? []
    return cells.map { $0.string ?? $0.text }
  }

  static let types =
    ResourceType.builtIn + [ResourceType("example.com", "v1", "Pod", "pods", isOpaque: true)]

  @Test("a row has a cell for each column, even of an object that lacks everything", arguments: types)
  func complete(type: ResourceType) {
    let table = ObjectTable(of: type, now: Self.now)
    let hostile: [JSON] = [
      .empty, .null, [], "x", ["metadata": "x", "spec": [1], "status": ["conditions": [1, .null]]],
    ]
    for json in hostile { #expect(table.row(json)["cells"]?.array.count == table.columns.count) }
  }

  @Test(
    "the columns are kubectl's",
    arguments: [
      (ResourceType.pods, "NAME READY STATUS RESTARTS AGE | IP NODE NOMINATED-NODE READINESS-GATES"),
      (.nodes, "NAME STATUS ROLES AGE VERSION | INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME"),
      (.namespaces, "NAME STATUS AGE"),
      (.services, "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE | SELECTOR"),
      (.endpoints, "NAME ENDPOINTS AGE"),
      (.endpointSlices, "NAME ADDRESSTYPE PORTS ENDPOINTS AGE"),
      (.networkPolicies, "NAME POD-SELECTOR AGE"),
      (.serviceCIDRs, "NAME CIDRS AGE"),
      (.deployments, "NAME READY UP-TO-DATE AVAILABLE AGE | CONTAINERS IMAGES SELECTOR"),
      (.replicaSets, "NAME DESIRED CURRENT READY AGE | CONTAINERS IMAGES SELECTOR"),
      (.replicationControllers, "NAME DESIRED CURRENT READY AGE | CONTAINERS IMAGES SELECTOR"),
      (.statefulSets, "NAME READY AGE | CONTAINERS IMAGES"),
      (
        .daemonSets,
        "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE-SELECTOR AGE | CONTAINERS IMAGES SELECTOR"
      ),
      (.jobs, "NAME STATUS COMPLETIONS DURATION AGE | CONTAINERS IMAGES SELECTOR"),
      (
        .cronJobs,
        "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST-SCHEDULE AGE | CONTAINERS IMAGES SELECTOR"
      ),
      (.leases, "NAME HOLDER AGE"),
      (.events, "LAST-SEEN TYPE REASON OBJECT MESSAGE | SUBOBJECT SOURCE FIRST-SEEN COUNT NAME"),
      (.customResourceDefinitions, "NAME CREATED-AT"),
      (ResourceType("example.com", "v1", "Pod", "pods", isOpaque: true), "NAME AGE"),
    ])
  func columns(type: ResourceType, expected: String) {
    let columns = ObjectTable(of: type, now: 0).columns
    let names = { (columns: [TableColumn]) in
      columns.map { $0.name.uppercased().split(separator: " ").joined(separator: "-") }.joined(separator: " ")
    }
    let wide = columns.filter(\.isWide)
    #expect(names(columns.filter { !$0.isWide }) + (wide.isEmpty ? "" : " | \(names(wide))") == expected)
  }

  @Test("a table has its list's resource version and token, and columns if they are wanted") func table() throws {
    let table = ObjectTable(of: .namespaces, now: Self.now)
    let row = table.row(["metadata": ["name": "shop"], "spec": [:], "status": ["phase": "Active"]])
    #expect(
      row == [
        "cells": ["shop", "Active", "<unknown>"],
        "object": ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ["name": "shop"]],
      ])
    let json = table.json(rows: [row], resourceVersion: "12", continue: "next")
    #expect(json["kind"] == "Table" && json["apiVersion"] == "meta.k8s.io/v1" && json["rows"] == [row])
    #expect(json["metadata"] == ["resourceVersion": "12", "continue": "next"])
    let name = try #require(json["columnDefinitions"]?.array.first)
    #expect(name["name"] == "Name" && name["format"] == "name" && name["type"] == "string" && name["priority"] == 0)
    let bare = table.json(rows: [], resourceVersion: "12", withColumns: false)
    #expect(bare["columnDefinitions"] == [] && bare["metadata"] == ["resourceVersion": "12"])
  }

  @Test("a row holds as much of its object as the request says") func included() throws {
    let json: JSON = ["kind": "Namespace", "metadata": ["name": "shop"], "spec": ["a": "b"]]
    let row = { (query: String) throws(APIStatus) in
      ObjectTable(of: .namespaces, now: 0, including: try .init(query: query)).row(json)
    }
    #expect(try row("None")["object"] == nil)
    #expect(try row("Object")["object"] == json)
    #expect(try row("Metadata") == row(""))
    #expect(throws: APIStatus.self) { try row("Everything") }
  }

  @Test("a node tells its readiness, its roles and its addresses") func nodes() {
    let node: JSON = [
      "metadata": [
        "labels": [
          "node-role.kubernetes.io/master": "true", "node-role.kubernetes.io/control-plane": "true",
          "node-role.kubernetes.io/": "", "kubernetes.io/role": "edge",
        ]
      ],
      "spec": ["unschedulable": true],
      "status": [
        "conditions": [["type": "MemoryPressure", "status": "True"], ["type": "Ready", "status": "True"]],
        "addresses": [["type": "Hostname", "address": "n"], ["type": "InternalIP", "address": "10.0.0.1"]],
        "nodeInfo": ["kubeletVersion": "v1.33.1", "kernelVersion": "6.8"],
      ],
    ]
    #expect(
      Self.cells(.nodes, node) == [
        "x", "Ready,SchedulingDisabled", "control-plane,edge,master", "60s", "v1.33.1", "10.0.0.1", "<none>",
        "<unknown>", "6.8", "<unknown>",
      ])
    #expect(Self.cells(.nodes, [:]).prefix(3) == ["x", "Unknown", "<none>"])
    let notReady: JSON = ["status": ["conditions": [["type": "Ready", "status": "Unknown"]]]]
    #expect(Self.cells(.nodes, notReady)[1] == "NotReady")
  }

  @Test(
    "a service tells its addresses by its type",
    arguments: [
      (["type": "ClusterIP", "clusterIP": "10.43.0.1"], "ClusterIP 10.43.0.1 <none> <none>"),
      (["clusterIP": "None", "clusterIPs": ["None"]], "ClusterIP None <none> <none>"),
      (
        [
          "type": "NodePort", "clusterIPs": ["10.43.0.2", "fd00::2"], "externalIPs": ["1.1.1.1", "1.1.1.2"],
          "ports": [
            ["port": 80, "nodePort": 30080, "protocol": "TCP"], ["port": 53, "protocol": "UDP"], ["port": 9],
          ],
        ], "NodePort 10.43.0.2 1.1.1.1,1.1.1.2 80:30080/TCP,53/UDP,9/TCP"
      ),
      (["type": "LoadBalancer"], "LoadBalancer <none> <pending> <none>"),
      (["type": "ExternalName", "externalName": "a.example"], "ExternalName <none> a.example <none>"),
      (["type": "Other"], "Other <none> <unknown> <none>"),
    ] as [(JSON, String)])
  func services(spec: JSON, expected: String) {
    #expect(Self.cells(.services, ["spec": spec])[1...4].joined(separator: " ") == expected)
  }

  @Test("a load balancer's addresses come sorted, before the service's own") func loadBalancer() {
    let service: JSON = [
      "spec": ["type": "LoadBalancer", "externalIPs": ["1.1.1.1"], "selector": ["b": "2", "a": "1"]],
      "status": ["loadBalancer": ["ingress": [["ip": "9.9.9.9"], ["hostname": "lb.example"], ["ip": "10.0.0.9"]]]],
    ]
    let cells = Self.cells(.services, service)
    #expect(cells[3] == "10.0.0.9,9.9.9.9,lb.example,1.1.1.1" && cells[6] == "a=1,b=2")
  }

  @Test("endpoints are the first three, and the number of the others") func endpoints() {
    let addresses: JSON = [["ip": "10.0.0.1"], ["ip": "10.0.0.2"], ["ip": "fd00::1"]]
    let cell = { (subsets: JSON) in Self.cells(.endpoints, ["subsets": subsets])[1] }
    #expect(cell([]) == "<none>")
    #expect(cell([["addresses": addresses]]) == "10.0.0.1,10.0.0.2,fd00::1")
    #expect(cell([["addresses": addresses, "ports": [["port": 80]]]]) == "10.0.0.1:80,10.0.0.2:80,[fd00::1]:80")
    #expect(
      cell([["addresses": addresses, "ports": [["port": 80], ["port": 81]]]])
        == "10.0.0.1:80,10.0.0.2:80,[fd00::1]:80 + 3 more...")
    #expect(cell([["notReadyAddresses": addresses, "ports": [["port": 80]]]]) == "")
  }

  @Test("a slice names its ports and addresses") func endpointSlices() {
    let slice: JSON = [
      "addressType": "IPv4", "ports": [["port": 80, "name": "http"], ["name": "dns"], [:]],
      "endpoints": [["addresses": ["10.0.0.1", "10.0.0.2"]], ["addresses": ["10.0.0.3", "10.0.0.4"]]],
    ]
    #expect(
      Self.cells(.endpointSlices, slice)
        == ["x", "IPv4", "80,dns,*", "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...", "60s"])
    #expect(Self.cells(.endpointSlices, [:])[2...3] == ["<unset>", "<unset>"])
  }

  @Test(
    "a policy's selector is written as in a query",
    arguments: [
      ([:], "<none>"), (["matchLabels": ["b": "2", "a": "1"]], "a=1,b=2"),
      (
        [
          "matchLabels": ["m": "1"],
          "matchExpressions": [
            ["key": "z", "operator": "In", "values": ["b", "a"]], ["key": "n", "operator": "NotIn", "values": ["c"]],
            ["key": "e", "operator": "Exists"], ["key": "d", "operator": "DoesNotExist"],
          ],
        ], "!d,e,m=1,n notin (c),z in (a,b)"
      ),
    ] as [(JSON, String)])
  func selectors(selector: JSON, expected: String) {
    #expect(Self.cells(.networkPolicies, ["spec": ["podSelector": selector]]) == ["x", expected, "60s"])
  }

  @Test("workloads count their pods and name their containers") func workloads() {
    let spec: JSON = [
      "replicas": 3, "selector": ["matchLabels": ["app": "web"]],
      "template": [
        "spec": [
          "containers": [["name": "a", "image": "i:1"], ["name": "b", "image": "j:2"]],
          "nodeSelector": ["disk": "ssd"],
        ]
      ],
    ]
    let replicas: JSON = [
      "spec": spec,
      "status": ["replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1],
    ]
    #expect(Self.cells(.deployments, replicas) == ["x", "1/3", "2", "1", "60s", "a,b", "i:1,j:2", "app=web"])
    #expect(Self.cells(.replicaSets, replicas) == ["x", "3", "2", "1", "60s", "a,b", "i:1,j:2", "app=web"])
    #expect(Self.cells(.statefulSets, replicas) == ["x", "1/3", "60s", "a,b", "i:1,j:2"])
    let scheduled: JSON = [
      "spec": spec,
      "status": [
        "desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3, "updatedNumberScheduled": 2,
        "numberAvailable": 1,
      ],
    ]
    #expect(
      Self.cells(.daemonSets, scheduled)
        == ["x", "5", "4", "3", "2", "1", "disk=ssd", "60s", "a,b", "i:1,j:2", "app=web"])
    let controller: JSON = ["spec": ["selector": ["app": "web"]]]
    #expect(Self.cells(.replicationControllers, controller) == ["x", "1", "0", "0", "60s", "", "", "app=web"])
  }

  @Test(
    "a job tells what became of it, and how long it took",
    arguments: [
      ([:], [:], "Running 0/1 "),
      (["completions": 3, "parallelism": 2], ["succeeded": 1, "startTime": "2026-01-31T11:58:00Z"], "Running 1/3 2m"),
      (["parallelism": 2], ["conditions": [["type": "Suspended", "status": "True"]]], "Suspended 0/1 of 2 "),
      (
        ["completions": 1],
        [
          "succeeded": 1, "startTime": "2026-01-31T11:00:00Z", "completionTime": "2026-01-31T11:00:09Z",
          "conditions": [["type": "Complete", "status": "True"]],
        ], "Complete 1/1 9s"
      ),
      ([:], ["conditions": [["type": "Failed", "status": "True"]]], "Failed 0/1 "),
      ([:], ["conditions": [["type": "Failed", "status": "False"]]], "Running 0/1 "),
      ([:], ["conditions": [["type": "FailureTarget", "status": "True"]]], "FailureTarget 0/1 "),
    ] as [(JSON, JSON, String)])
  func jobs(spec: JSON, status: JSON, expected: String) {
    #expect(Self.cells(.jobs, ["spec": spec, "status": status])[1...3].joined(separator: " ") == expected)
  }

  @Test("a cron job tells when it runs, and ran") func cronJobs() {
    let job: JSON = [
      "spec": ["schedule": "*/5 * * * *", "suspend": false],
      "status": ["active": [["name": "a"]], "lastScheduleTime": "2026-01-31T11:55:00Z"],
    ]
    #expect(
      Self.cells(.cronJobs, job).prefix(7) == ["x", "*/5 * * * *", "<none>", "False", "1", "5m", "60s"])
    #expect(
      Self.cells(.cronJobs, ["spec": ["timeZone": "Etc/UTC"]])[2...5] == ["Etc/UTC", "<unset>", "0", "<none>"])
  }

  @Test("an event reads the same in both of its groups") func events() {
    let core: JSON = [
      "type": "Warning", "reason": "BackOff", "message": " again \n", "count": 4,
      "firstTimestamp": "2026-01-31T11:00:00Z", "lastTimestamp": "2026-01-31T11:59:30Z",
      "involvedObject": ["kind": "Pod", "name": "web", "fieldPath": "spec.containers{a}"],
      "source": ["component": "kubelet", "host": "n1"],
    ]
    let cells = [
      "30s", "Warning", "BackOff", "pod/web", "spec.containers{a}", "kubelet, n1", "again", "60m", "4", "x",
    ]
    #expect(Self.cells(.coreEvents, core) == cells)
    let new: JSON = [
      "type": "Warning", "reason": "BackOff", "note": "again", "eventTime": "2026-01-31T11:00:00.5Z",
      "regarding": ["kind": "Pod", "name": "web", "fieldPath": "spec.containers{a}"],
      "reportingController": "kubelet", "reportingInstance": "n1",
      "series": ["count": 4, "lastObservedTime": "2026-01-31T11:59:30.000001Z"],
    ]
    #expect(Self.cells(.events, new) == cells)
    let single = Self.cells(.events, ["eventTime": "2026-01-31T11:59:58Z", "regarding": ["kind": "Node"]])
    #expect(single[0] == "2s" && single[3] == "node" && single[8] == "1")
  }

  @Test("the rest is told in a word") func others() {
    #expect(
      Self.cells(.serviceCIDRs, ["spec": ["cidrs": ["10.43.0.0/16", "fd00::/112"]]])[1] == "10.43.0.0/16,fd00::/112")
    #expect(Self.cells(.leases, ["spec": ["holderIdentity": "n1"]])[1] == "n1")
    #expect(Self.cells(.customResourceDefinitions, [:]) == ["x", "2026-01-31T11:59:00Z"])
  }
}
