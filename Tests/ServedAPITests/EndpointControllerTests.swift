// Not covered: hints of traffic distribution, and slices that mirror Endpoints.
import NetpolModel
import Testing
import Text

@testable import ServedAPI

@Suite("The slices and Endpoints of Services") struct EndpointControllerTests {
  static func addresses(_ slices: [JSON]) -> [[String]] {
    slices.map { $0["endpoints"]?.array.compactMap { $0["addresses"]?.array.first?.string } ?? [] }
  }

  static let web: JSON = ["name": "http", "containerPort": 8080]

  @Test("a Service's slice has its pods that have addresses, and where they are") func slice() {
    var it = SimulatedCluster(nodes: 1)
    it.update(.nodes, "node0", namespace: "") { $0[["metadata", "labels", "topology.kubernetes.io/zone"]] = "z1" }
    it.create(
      .services, "web",
      .service("web", ports: [["name": "p", "port": 80, "targetPort": "http"], ["name": "q", "port": 81]]))
    it.create(.pods, "a", .pod(["app": "web"], ports: [Self.web]))
    it.create(.pods, "b", .pod(["app": "db"], ports: [Self.web]))
    it.run(100)
    #expect(Self.addresses(it.all(.endpointSlices)) == [[]])
    it.run(1000)
    let slices = it.all(.endpointSlices)
    #expect(slices.count == 1)
    let slice = slices.first
    #expect(slice?.name.hasPrefix("web-") == true && slice?["addressType"] == "IPv4")
    #expect(slice?.labels["kubernetes.io/service-name"] == "web")
    #expect(slice?.labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io")
    #expect(slice?.controllerReference?["uid"]?.string == it.get(.services, "web")?.uid)
    #expect(
      slice?["ports"] == [
        ["name": "p", "protocol": "TCP", "port": 8080], ["name": "q", "protocol": "TCP", "port": 81],
      ])
    let pod = it.get(.pods, "a")
    #expect(
      slice?["endpoints"] == [
        [
          "addresses": [.string(pod?.podIP ?? "")], "nodeName": "node0", "zone": "z1",
          "conditions": ["ready": true, "serving": true, "terminating": false],
          "targetRef": ["kind": "Pod", "namespace": "shop", "name": "a", "uid": .string(pod?.uid ?? "")],
        ]
      ])
    let subset = it.get(.endpoints, "web")?.at("subsets")?.array.first
    #expect(subset?["addresses"]?.array.first?["ip"]?.string == pod?.podIP)
    #expect(subset?["ports"]?.array.map { $0["port"] } == [8080, 81])
  }

  @Test("an endpoint is ready as its pod is, and ends with it") func conditions() {
    var it = SimulatedCluster(nodes: 1)
    it.create(.services, "web", .service("web"))
    it.create(.services, "all", .service("web", ["publishNotReadyAddresses": true]))
    it.create(.pods, "a", .pod(["app": "web"]))
    it.run(1000)
    let conditions = { (it: SimulatedCluster, service: String) in
      it.all(.endpointSlices).first { $0.labels["kubernetes.io/service-name"] == service }?["endpoints"]?.array.first?[
        "conditions"]
    }
    it.update(.pods, "a") { $0.setCondition("Ready", false, APITime(milliseconds: 0)) }
    it.run(100)
    #expect(conditions(it, "web") == ["ready": false, "serving": false, "terminating": false])
    #expect(conditions(it, "all") == ["ready": true, "serving": false, "terminating": false])
    #expect(it.get(.endpoints, "web")?.at("subsets")?.array.first?["notReadyAddresses"]?.array.count == 1)
    it.update(.pods, "a") { $0.setCondition("Ready", true, APITime(milliseconds: 0)) }
    it.delete(.pods, "a")
    it.run(100)
    #expect(conditions(it, "web") == ["ready": false, "serving": true, "terminating": true])
    #expect(it.get(.endpoints, "web")?.at("subsets") == nil)
    it.run(1000)
    #expect(conditions(it, "web") == nil)
  }

  @Test("pods on which a port's name means other numbers are in other slices") func namedPorts() {
    var it = SimulatedCluster(nodes: 1)
    it.create(.services, "web", .service("web", ports: [["port": 80, "targetPort": "http"]]))
    it.create(.pods, "a", .pod(["app": "web"], ports: [Self.web]))
    it.create(.pods, "b", .pod(["app": "web"], ports: [["name": "http", "containerPort": 9090]]))
    it.create(.pods, "c", .pod(["app": "web"], ports: [["name": "http", "containerPort": 53, "protocol": "UDP"]]))
    it.run(1000)
    let ports = it.all(.endpointSlices).map { $0["ports"]?.array.map { $0["port"]?.integer ?? 0 } ?? [] }
    #expect(Set(ports) == [[8080], [9090], []])
    #expect(it.get(.endpoints, "web")?.at("subsets")?.array.count == 2)
  }

  @Test("a slice holds 100 endpoints, and only slices that differ are written") func size() throws {
    var it = SimulatedCluster(nodes: 2)
    it.create(.deployments, "web", .workload("web", replicas: 250))
    it.create(.services, "web", .service("web"))
    it.run(5000)
    #expect(it.all(.endpointSlices).map { $0["endpoints"]?.array.count ?? 0 }.sorted() == [50, 100, 100])
    let version = it.cluster.store.resourceVersion
    it.delete(.pods, it.names(.pods)[0], gracePeriod: 0)
    it.run(100)
    let written = try it.cluster.store.events(after: version).filter { $0.object.key.type == .endpointSlices }
    #expect(written.count == 1)
    it.run(1000)
    #expect(it.all(.endpointSlices).reduce(0) { $0 + ($1["endpoints"]?.array.count ?? 0) } == 250)
    #expect(it.all(.endpointSlices).count == 3)
  }

  @Test("both families have slices of their own") func dualStack() {
    var it = SimulatedCluster(nodes: 0)
    it.create(.nodes, "n", namespace: "", ["spec": ["podCIDRs": ["10.1.0.0/24", "fd01::/64"]]])
    it.create(.services, "web", .service("web", ["ipFamilies": ["IPv6", "IPv4"]]))
    it.create(.pods, "a", .pod(["app": "web"]))
    it.run(1000)
    let slices = it.all(.endpointSlices).sorted {
      ($0["addressType"]?.string ?? "") < ($1["addressType"]?.string ?? "")
    }
    #expect(Self.addresses(slices) == [["10.1.0.2"], ["fd01::2"]])
    #expect(it.get(.endpoints, "web")?.at("subsets")?.array.first?["addresses"]?.array.first?["ip"] == "fd01::2")
    it.update(.services, "web") { $0[["spec", "ipFamilies"]] = ["IPv4"] }
    it.run(1000)
    #expect(Self.addresses(it.all(.endpointSlices)) == [["10.1.0.2"]])
  }

  @Test("slices that others made stay, and one without a manager is all that its Service has") func others() {
    var it = SimulatedCluster(nodes: 1)
    let slice = { (service: String, manager: String?) -> JSON in
      var labels = ["kubernetes.io/service-name": service]
      labels["endpointslice.kubernetes.io/managed-by"] = manager
      return ["metadata": ["labels": JSON(labels)], "addressType": "IPv4", "endpoints": [["addresses": ["10.9.9.9"]]]]
    }
    it.create(.endpointSlices, "stated", slice("web", nil))
    it.create(.endpointSlices, "foreign", slice("db", "me"))
    it.create(.endpointSlices, "old", slice("api", "endpointslice-controller.k8s.io"))
    for app in ["web", "db", "api"] {
      it.create(.services, app, .service(app))
      it.create(.pods, app, .pod(["app": app]))
    }
    it.create(.services, "none", ["spec": ["ports": [["port": 1]]]])
    it.create(.services, "external", .service("web", ["type": "ExternalName", "externalName": "example.org"]))
    let before = it.get(.endpointSlices, "stated")
    it.run(1000)
    let services = it.all(.endpointSlices).map { $0.labels["kubernetes.io/service-name"] ?? "" }
    #expect(services.sorted() == ["api", "db", "db", "web"])
    #expect(it.get(.endpointSlices, "stated") == before && it.names(.endpoints) == ["api", "db"])
    #expect(
      !Self.addresses(it.all(.endpointSlices).filter { $0.labels["kubernetes.io/service-name"] == "api" }).joined()
        .contains("10.9.9.9"))
    it.delete(.endpointSlices, "stated")
    it.run(1000)
    #expect(it.names(.endpoints) == ["api", "db", "web"])
  }

  @Test("the slices and Endpoints of a deleted Service go, and those that a client broke are mended") func mending() {
    var it = SimulatedCluster(nodes: 1)
    it.create(.services, "web", .service("web"))
    it.create(.pods, "a", .pod(["app": "web"]))
    it.run(1000)
    let name = it.names(.endpointSlices)[0]
    let good = it.get(.endpointSlices, name)?["endpoints"]
    it.update(.endpointSlices, name) { $0["endpoints"] = [] }
    it.update(.endpoints, "web") { $0["subsets"] = nil }
    it.run(100)
    #expect(it.all(.endpointSlices).map { $0["endpoints"] } == [good])
    #expect(it.get(.endpoints, "web")?.at("subsets") != nil)
    it.delete(.endpointSlices, name)
    it.run(100)
    #expect(it.all(.endpointSlices).map { $0["endpoints"] } == [good])
    it.delete(.services, "web")
    it.run(100)
    #expect(it.names(.endpointSlices) == [] && it.names(.endpoints) == [])
  }
}
