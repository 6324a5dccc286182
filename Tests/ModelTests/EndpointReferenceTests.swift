import NetpolModel
import Testing

private let web = NamespacedName("shop", "web")
private let front = IPAddress(v4: 0xc0a8_0132)

@Suite struct EndpointReferenceTests {
  @Test(
    "reads every form of a flow endpoint",
    arguments: [
      ("shop/web", .pod(PodID(web))), ("shop/Pod/web", .pod(PodID(web))), ("shop/pod/web", .pod(PodID(web))),
      ("vip/web", .pod(PodID("vip", "web"))), ("shop/node", .pod(PodID("shop", "node"))),
      ("shop/Deployment/web", .workload(namespace: "shop", kind: "Deployment", name: "web")),
      ("shop/deployment/web", .workload(namespace: "shop", kind: "Deployment", name: "web")),
      ("shop/STATEFULSET/web", .workload(namespace: "shop", kind: "StatefulSet", name: "web")),
      ("shop/daemonset/web", .workload(namespace: "shop", kind: "DaemonSet", name: "web")),
      ("shop/replicaset/web", .workload(namespace: "shop", kind: "ReplicaSet", name: "web")),
      ("shop/job/web", .workload(namespace: "shop", kind: "Job", name: "web")),
      ("shop/cronjob/web", .workload(namespace: "shop", kind: "CronJob", name: "web")),
      ("shop/deploy/web", .workload(namespace: "shop", kind: "Deployment", name: "web")),
      ("shop/deployments/web", .workload(namespace: "shop", kind: "Deployment", name: "web")),
      ("shop/sts/web", .workload(namespace: "shop", kind: "StatefulSet", name: "web")),
      ("shop/ds/web", .workload(namespace: "shop", kind: "DaemonSet", name: "web")),
      ("shop/po/web", .pod(PodID(web))), ("shop/svc/web", .service(web)),
      ("shop/Rollout/web", .workload(namespace: "shop", kind: "Rollout", name: "web")),
      ("vip/deployment/web", .workload(namespace: "vip", kind: "Deployment", name: "web")),
      ("service/shop/web", .service(web)), ("shop/Service/web", .service(web)), ("shop/service/web", .service(web)),
      ("service/Deployment/web", .service(NamespacedName("Deployment", "web"))),
      ("vip/shop/web/192.168.1.50", .virtualAddress(web, front)), ("node/n1", .node("n1")),
      ("node/n1.lan", .node("n1.lan")), ("external/lan", .external("lan")), ("192.168.1.50", .address(front)),
      ("fd00::1", .address(IPAddress(v6: 0xfd << 120 | 1))), ("external/192.168.1.50", .address(front)),
    ] as [(String, EndpointReference)])
  func reading(text: String, end: EndpointReference) throws {
    #expect(try EndpointReference(text) == end)
    #expect(try EndpointReference(end.description) == end)
  }

  @Test(
    "rejects other text and says what to write",
    arguments: [
      ("", "write namespace/pod, "), ("web", "write namespace/pod, "), ("shop/", "write namespace/pod, "),
      ("/web", "write namespace/pod, "), ("shop//web", "write namespace/pod, "), ("a/b/c/d", "write namespace/pod, "),
      ("192.168.1", "write namespace/pod, "), ("node", "write namespace/pod, "), ("node/a/b", "write node/NAME; "),
      ("node/Pod/a", "write node/NAME; "), ("external/a/b", "write external/NAME; "),
      ("service/web", "write service/namespace/name; "), ("service/a/b/c", "write service/namespace/name; "),
      ("10.0.0.0/8", "write one address of it"), ("fd00::/8", "write one address of it"),
      ("vip/shop/web/lan", "write vip/namespace/name/ADDRESS"), ("vip/shop/web/lan/x", "write namespace/pod, "),
    ])
  func refusal(text: String, remedy: String) {
    let error = #expect(throws: EndpointTextError.self) { try EndpointReference(text) }
    #expect(error?.remedy.hasPrefix(remedy) == true, "\(text): \(String(describing: error))")
  }

  @Test(
    "reads an endpoint as reports print it",
    arguments: [
      .pod(PodID(web)), .node("n1"), .external("lan"), .service(web), .virtualAddress(web, front), .address(front),
    ] as [Endpoint])
  func printed(endpoint: Endpoint) throws {
    #expect(try Endpoint(EndpointReference(endpoint.description)) == endpoint)
  }

  @Test func aWorkloadIsNotAnEndpointByItself() throws {
    #expect(try Endpoint(EndpointReference("shop/Deployment/web")) == nil)
  }
}
