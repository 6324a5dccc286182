// Not covered: tolerations of the svclb pods, and two clusters' servicelb in one input.
import Manifests
import NetpolModel
import Testing

@Suite("k3s's servicelb in manifests") struct ServiceLBTests {
  private static func node(
    _ number: Int, kubelet: String = "v1.33.4+k3s1", labels: String = "", args: String = "", external: String = ""
  )
    -> String
  {
    """
    apiVersion: v1
    kind: Node
    metadata: {name: n\(number), labels: {\(labels)}, annotations: {k3s.io/node-args: '\(args)'}}
    spec: {podCIDR: 10.42.\(number).0/24}
    status:
      addresses: [{type: InternalIP, address: 192.168.20.1\(number)}\(external.isEmpty ? "" : ", {type: ExternalIP, address: \(external)}")]
      nodeInfo: {kubeletVersion: \(kubelet)}
    ---

    """
  }

  private static let nodes = node(1) + node(2)

  private static func service(_ name: String = "web", spec: String = "", metadata: String = "", status: String = "")
    -> String
  {
    """
    apiVersion: v1
    kind: Service
    metadata: {name: \(name), namespace: app\(metadata.isEmpty ? "" : ", \(metadata)")}
    spec: {type: LoadBalancer, clusterIP: 10.43.0.\(name.count), selector: {app: web}, ports: [{port: 80, targetPort: 8000, nodePort: 3008\(name.count)}]\(spec.isEmpty ? "" : ", \(spec)")}
    \(status.isEmpty ? "---" : "status: {\(status)}\n---")

    """
  }

  private static let web = """
    apiVersion: v1
    kind: Pod
    metadata: {name: web, namespace: app, labels: {app: web}}
    spec: {nodeName: n2, containers: [{name: c}]}
    ---

    """

  private func balancers(_ reading: ManifestReading) -> [Pod] { reading.cluster.pods.filter { !$0.forwards.isEmpty } }
  private func listed(_ reading: ManifestReading) -> [String] {
    reading.cluster.services.first?.loadBalancerIPs.map(\.address.description) ?? []
  }

  @Test("on nodes of k3s, a Service of type LoadBalancer gets the pods and the addresses that the controller makes")
  func made() throws {
    let reading = try read(Self.nodes + Self.web + Self.service())
    let pods = balancers(reading)
    #expect(pods.map(\.node) == ["n1", "n2"])
    let pod = try #require(pods.first)
    #expect(pod.id.namespace == "kube-system" && pod.id.name.hasPrefix("svclb-web-"))
    #expect(pod.labels["svccontroller.k3s.cattle.io/svcname"] == "web")
    #expect(pod.labels["svccontroller.k3s.cattle.io/svcnamespace"] == "app")
    #expect(pod.ports.map(\.name) == ["lb-tcp-80"])
    #expect(pod.hostPorts == [HostPort(TransportPort(.tcp, 80))])
    let all = try #require(CIDR("0.0.0.0/0"))
    let clusterIP = try #require(IPAddress("10.43.0.3"))
    #expect(pod.forwards == [PodForward(TransportPort(.tcp, 80), from: [all], to: [clusterIP], port: 80)])
    #expect(listed(reading) == ["192.168.20.11", "192.168.20.12"])
    #expect(reading.notes.contains { $0.text.hasPrefix("svclb pods of k3s's servicelb made for app/web, 2 in all") })
  }

  @Test(
    "nothing is made where servicelb doesn't run, or where the input would have its pods",
    arguments: [
      node(1, kubelet: "v1.33.4"),
      node(1, args: #"["server","--disable","servicelb"]"#),
      node(1, args: #"["server","--disable=traefik","--disable","traefik,servicelb"]"#) + node(2, args: #"["agent"]"#),
      node(1)
        + "apiVersion: v1\nkind: Pod\nmetadata: {name: coredns, namespace: kube-system}\nspec: {containers: [{name: c}]}\n---\n",
      node(1) + "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nloadBalancer: metallb-l2\n---\n",
    ])
  func none(world: String) throws {
    let reading = try read(world + Self.web.replacing("nodeName: n2", with: "nodeName: n1") + Self.service())
    #expect(balancers(reading).isEmpty && listed(reading).isEmpty)
  }

  @Test("a Cluster document can say that servicelb runs; a Service with a class of its own gets nothing")
  func stated() throws {
    let document =
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nloadBalancer: servicelb\nnodes: [{name: n1}, {name: n2}]\n---\n"
    #expect(balancers(try read(document + Self.web + Self.service())).count == 2)
    #expect(balancers(try read(document + Self.web + Self.service(spec: "loadBalancerClass: a.b/c"))).isEmpty)
  }

  @Test("a status is kept, also an empty one; external addresses count before internal ones")
  func status() throws {
    #expect(listed(try read(Self.nodes + Self.web + Self.service(status: "loadBalancer: {}"))).isEmpty)
    let given = try read(Self.nodes + Self.web + Self.service(status: "loadBalancer: {ingress: [{ip: 192.168.20.12}]}"))
    #expect(listed(given) == ["192.168.20.12"] && balancers(given).count == 2)
    let external = Self.node(1, external: "203.0.113.7") + Self.node(2)
    #expect(listed(try read(external + Self.web + Self.service())) == ["203.0.113.7"])
  }

  @Test("a status that is empty, or that leaves out a node with a svclb pod, gets a warning")
  func strangeStatus() throws {
    let texts = { (status: String) in
      try read(Self.nodes + Self.web + Self.service(status: "loadBalancer: {\(status)}")).texts
    }
    let empty = "svclb pods, but an empty status.loadBalancer: app/web; "
    #expect(try texts("").contains { $0.hasPrefix(empty) })
    let unlisted = "the status of Service app/web does not list n2, where it has a svclb pod: "
    #expect(try texts("ingress: [{ip: 192.168.20.11}]").contains { $0.hasPrefix(unlisted) })
    for other in ["ingress: [{ip: 192.168.20.11}, {ip: 192.168.20.12}]", "ingress: [{ip: 203.0.113.9}]"] {
      #expect(try !texts(other).contains { $0.hasPrefix(empty) || $0.contains("does not list") })
    }
  }

  @Test("with policy Local, the pods send to their node's NodePort, and only nodes with an endpoint are listed")
  func local() throws {
    let reading = try read(Self.nodes + Self.web + Self.service(spec: "externalTrafficPolicy: Local"))
    #expect(listed(reading) == ["192.168.20.12"])
    let forwards = balancers(reading).flatMap(\.forwards)
    #expect(forwards.map(\.destinationPort) == [30083, 30083])
    #expect(forwards.flatMap(\.destinations).map(\.description) == ["192.168.20.11", "192.168.20.12"])
  }

  @Test("source ranges come from the Service, or else from its annotation")
  func ranges() throws {
    let ranges = { (spec: String, metadata: String) in
      self.balancers(try read(Self.nodes + Self.web + Self.service(spec: spec, metadata: metadata)))[0].forwards[0]
        .sourceRanges.map(\.description)
    }
    let annotation = "annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: '10.1.0.0/16, 10.2.0.0/16'}"
    #expect(try ranges("", annotation) == ["10.1.0.0/16", "10.2.0.0/16"])
    #expect(try ranges("loadBalancerSourceRanges: [10.3.0.0/16]", annotation) == ["10.3.0.0/16"])
  }

  @Test("labels of nodes and Services choose the nodes")
  func labels() throws {
    let enabled = "svccontroller.k3s.cattle.io/enablelb: 'true'"
    let pool = "svccontroller.k3s.cattle.io/lbpool"
    let world =
      Self.node(1, labels: enabled) + Self.node(2, labels: "\(enabled), \(pool): east") + Self.node(3) + Self.web
    #expect(balancers(try read(world + Self.service())).map(\.node) == ["n1", "n2"])
    #expect(balancers(try read(world + Self.service(metadata: "labels: {\(pool): east}"))).map(\.node) == ["n2"])
  }

  @Test("a second Service with the same port stays without pods and addresses, and a warning says so")
  func pending() throws {
    let reading = try read(Self.nodes + Self.web + Self.service("web") + Self.service("zoo2"))
    #expect(balancers(reading).allSatisfy { $0.labels["svccontroller.k3s.cattle.io/svcname"] == "web" })
    #expect(reading.cluster.services.last?.loadBalancerIPs.isEmpty == true)
    let text = "svclb pods that find no node, because their port is taken: app/zoo2 on n1, app/zoo2 on n2"
    #expect(reading.notes.contains { $0.severity == .warning && $0.text == text })
  }

  @Test("of two Services with one port, the older one has it")
  func age() throws {
    let old = Self.service("zoo2", metadata: "creationTimestamp: '2020-01-01T00:00:00Z'")
    let young = Self.service("web", metadata: "creationTimestamp: '2024-01-01T00:00:00Z'")
    let reading = try read(Self.nodes + Self.web + young + old)
    #expect(balancers(reading).allSatisfy { $0.labels["svccontroller.k3s.cattle.io/svcname"] == "zoo2" })
  }

  @Test(
    "arguments of k3s that the lab doesn't follow get a warning",
    arguments: [
      (#"["server","--disable-network-policy"]"#, "k3s has --disable-network-policy on n1: "),
      (#"["server","--disable-kube-proxy"]"#, "k3s has --disable-kube-proxy on n1: "),
      (#"["server","--kube-proxy-arg=proxy-mode=foo"]"#, "k3s's proxy-mode on n1 is no mode of kube-proxy: "),
      (
        #"["server","--kube-proxy-arg","proxy-mode=nftables"]"#,
        "kube-proxy's mode differs: iptables on n2, nftables on n1; "
      ),
    ])
  func arguments(args: String, text: String) throws {
    let texts = try read(Self.node(1, args: args) + Self.node(2, args: #"["agent"]"#)).texts
    #expect(texts.contains { $0.hasPrefix(text) }, "\(texts)")
  }

  @Test("taints, and ports of pods on the node's network, keep svclb pods away; control planes don't")
  func refused() throws {
    let tainted = { (key: String) in
      Self.node(2).replacing("spec: {podCIDR", with: "spec: {taints: [{key: \(key), effect: NoSchedule}], podCIDR")
    }
    let on = { (nodes: String, more: String) in
      self.balancers(try read(nodes + Self.web + more + Self.service())).map(\.node)
    }
    #expect(try on(Self.node(1) + tainted("dedicated"), "") == ["n1"])
    #expect(try on(Self.node(1) + tainted("node-role.kubernetes.io/control-plane"), "") == ["n1", "n2"])
    let holder = """
      apiVersion: v1
      kind: Pod
      metadata: {name: holder, namespace: app}
      spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}
      ---

      """
    #expect(try on(Self.nodes, holder) == ["n2"])
  }

  @Test("the pods have the first digits of the Service's uid in their name")
  func uid() throws {
    let service = Self.service(metadata: "uid: 1234abcd-0000-0000-0000-000000000000")
    #expect(balancers(try read(Self.nodes + Self.web + service)).first?.id.name == "svclb-web-1234abcd-n1")
  }

  @Test("k3s's arguments give kube-proxy's mode, and its nodes the version")
  func mode() throws {
    let mode = { (args: String, kubelet: String) in
      try read(Self.node(1, kubelet: kubelet, args: args)).cluster.settings
    }
    let nftables = #"["server","--kube-proxy-arg","proxy-mode=nftables"]"#
    #expect(try mode(nftables, "v1.33.4+k3s1").kubeProxy.mode == .nftables(.v33))
    #expect(try mode(nftables, "v1.35.0+k3s1").kubeProxy.mode == .nftables(.v34))
    #expect(try mode("", "v1.35.0+k3s1").kubeProxy.mode == .iptables)
    #expect(try mode(#"["server","--kube-proxy-arg=proxy-mode=ipvs"]"#, "v1.33.4+k3s1").serviceProxy == .ipvs)
  }

  /// A svclb pod on n1, with the given labels and containers.
  private static func dumped(_ name: String, labels: String = "", containers: String) -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), namespace: kube-system, labels: {\(labels)}}
    spec: {nodeName: n1, containers: [\(containers)]}
    ---

    """
  }

  @Test("pods of a dump send where their environment says, with the node's addresses in place of status.hostIPs")
  func environment() throws {
    let container = { (destination: String) in
      "{name: lb-udp-53, image: rancher/klipper-lb:v0.4.13, ports: [{containerPort: 53, hostPort: 53, protocol: UDP}], env: ["
        + "{name: SRC_PORT, value: '53'}, {name: SRC_RANGES, value: '10.0.0.0/8,192.168.0.0/16'}, "
        + "{name: DEST_PROTO, value: UDP}, {name: DEST_PORT, value: '5353'}, \(destination)]}"
    }
    for (destination, addresses) in [
      ("{name: DEST_IPS, value: '10.43.0.9'}", ["10.43.0.9"]),
      ("{name: DEST_IPS, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}", ["192.168.20.11"]),
    ] {
      let reading = try read(Self.nodes + Self.web + Self.dumped("svclb-dns-1", containers: container(destination)))
      let forward = try #require(balancers(reading).first?.forwards.first)
      #expect(forward.port == TransportPort(.udp, 53) && forward.destinationPort == 5353)
      #expect(forward.sourceRanges.map(\.description) == ["10.0.0.0/8", "192.168.0.0/16"])
      #expect(forward.destinations.map(\.description) == addresses)
    }
  }

  @Test(
    "an environment that klipper-lb could not use is left aside",
    arguments: [
      ("http", "80", "10.43.0.9", "0.0.0.0/0"), ("53", "0", "10.43.0.9", "0.0.0.0/0"),
      ("53", "70000", "10.43.0.9", "0.0.0.0/0"), ("53", "80", "x", "0.0.0.0/0"), ("53", "80", "", "0.0.0.0/0"),
      ("53", "80", "10.43.0.9", "10.0.0.0/40"),
    ])
  func nonsense(port: String, destination: String, addresses: String, ranges: String) throws {
    let container =
      "{name: lb, image: rancher/klipper-lb:v0.4.13, ports: [{containerPort: 53, hostPort: 53}], env: ["
      + "{name: SRC_PORT, value: '\(port)'}, {name: SRC_RANGES, value: '\(ranges)'}, {name: DEST_PROTO, value: TCP}, "
      + "{name: DEST_PORT, value: '\(destination)'}, {name: DEST_IPS, value: '\(addresses)'}]}"
    let reading = try read(Self.nodes + Self.web + Self.dumped("svclb-dns-1", containers: container))
    #expect(balancers(reading).isEmpty)
    #expect(reading.notes.contains { $0.text.hasPrefix("svclb pods without a usable environment") })
  }

  @Test("pods without an environment belong to the Service that their labels or their name mean")
  func named() throws {
    let port = "{name: lb-tcp-80, ports: [{containerPort: 80, hostPort: 80}]}"
    let labels = "svccontroller.k3s.cattle.io/svcname: web, svccontroller.k3s.cattle.io/svcnamespace: app"
    for pod in [
      Self.dumped("svclb-web-1a2b3c4d-xyz12", containers: port), Self.dumped("lb", labels: labels, containers: port),
    ] {
      let reading = try read(Self.nodes + Self.web + Self.service() + pod)
      #expect(balancers(reading).flatMap(\.forwards).flatMap(\.destinations).map(\.description) == ["10.43.0.3"])
      // A Service without a status gets the one that the controller would write.
      #expect(listed(reading) == ["192.168.20.11"])
    }
    let reading = try read(Self.nodes + Self.web + Self.service() + Self.dumped("svclb-other-1", containers: port))
    #expect(balancers(reading).isEmpty)
    #expect(
      reading.notes.contains {
        $0.text
          == "svclb pods without a usable environment, or whose Service is not in the input: kube-system/svclb-other-1; their host ports are not asked about"
      })
  }

  @Test("a policy that selects svclb pods is pointed out")
  func policy() throws {
    let deny = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny, namespace: kube-system}
      spec: {podSelector: {}}
      ---

      """
    let reading = try read(Self.nodes + Self.web + Self.service() + deny)
    #expect(reading.notes.contains { $0.text.hasPrefix("policies select svclb pods: kube-system/deny; they decide") })
  }
}
