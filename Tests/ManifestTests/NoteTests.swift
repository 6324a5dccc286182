// Not covered: features outside the model that are not named here.
import Manifests
import NetpolModel
import Testing

@Suite struct NoteTests {
  private func object(_ version: String, _ kind: String, _ name: String, namespace: String? = nil, rest: String = "")
    -> String
  {
    let metadata = namespace.map { "{name: \(name), namespace: \($0)}" } ?? "{name: \(name)}"
    return "apiVersion: \(version)\nkind: \(kind)\nmetadata: \(metadata)\n\(rest)\n---\n"
  }
  private func warnings(_ text: String) throws -> [String] {
    try read(text).notes.filter { $0.severity == .warning }.map(\.text)
  }

  @Test("other kinds of the API are skipped with one note that counts them")
  func skipped() throws {
    let reading = try read(
      object("v1", "Secret", "a") + object("v1", "ConfigMap", "a") + object("v1", "ConfigMap", "b")
        + object("rbac.authorization.k8s.io/v1", "Role", "a")
        + object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "kafkas.kafka.strimzi.io"))
    #expect(
      reading.texts.first
        == "skipped 5 objects of other kinds: 2 ConfigMap, 1 CustomResourceDefinition, 1 Role, 1 Secret")
    #expect(reading.objectCount == 5)
    #expect(reading.notes.first?.severity == .note)
  }

  @Test("kinds of other projects get one warning with kind, API group and what may be missing")
  func strangers() throws {
    #expect(
      try warnings(object("monitoring.coreos.com/v1", "Prometheus", "k8s")) == [
        "skipped 1 object of other projects: 1 Prometheus (monitoring.coreos.com); its pods may be missing"
      ])
    let texts = (0..<1000).map { object("g\($0 / 2).example.org/v1", "Kind\($0 / 2)", "a\($0)") }
    let many = try warnings(texts.joined())
    #expect(many.count == 1)
    #expect(many.first?.hasPrefix("skipped 1000 objects of other projects: 2 Kind0 (g0.example.org), 2 Kind1") == true)
    #expect(many.first?.hasSuffix("2 Kind104 (g104.example.org) and 492 more; their pods may be missing") == true)
  }

  @Test("an object of another project gets no warning if its pods or workloads are in the input")
  func knownStrangers() throws {
    let owner =
      "ownerReferences: [{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, name: k8s, uid: u, controller: true}]"
    let set = """
      apiVersion: apps/v1
      kind: StatefulSet
      metadata: {name: prometheus-k8s, namespace: m, \(owner)}
      spec:
        selector: {matchLabels: {a: b}}
        template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}
      ---

      """
    let prometheus = object("monitoring.coreos.com/v1", "Prometheus", "k8s", namespace: "m")
    #expect(try warnings(prometheus + set).isEmpty)
    #expect(try warnings(prometheus + set.replacing("name: k8s", with: "name: other")).count == 1)
  }

  @Test(
    "settings of well-known projects are only counted, because no controller creates pods for them",
    arguments: [
      ("monitoring.coreos.com/v1", "ServiceMonitor"), ("cert-manager.io/v1", "Certificate"),
      ("networking.istio.io/v1", "VirtualService"), ("argoproj.io/v1alpha1", "AppProject"),
      ("external-secrets.io/v1", "ExternalSecret"), ("metallb.io/v1beta1", "BFDProfile"),
    ])
  func settings(version: String, kind: String) throws {
    let text = object(version, kind, "a", namespace: "m")
    #expect(try warnings(text).isEmpty)
    #expect(try read(text).texts.contains("skipped 1 object of other kinds: 1 \(kind)"))
  }

  @Test(
    "for an object that routes packets one line says who the sender is",
    arguments: [
      ("networking.k8s.io/v1", "Ingress", "ingress controller"),
      ("gateway.networking.k8s.io/v1", "HTTPRoute", "gateway"), ("gateway.networking.k8s.io/v1", "Gateway", "gateway"),
      ("route.openshift.io/v1", "Route", "OpenShift router"),
      ("traefik.io/v1alpha1", "IngressRoute", "ingress controller"),
      ("traefik.containo.us/v1alpha1", "IngressRouteTCP", "ingress controller"),
      ("projectcontour.io/v1", "HTTPProxy", "ingress controller"), ("networking.istio.io/v1", "Gateway", "gateway"),
    ])
  func routes(version: String, kind: String, sender: String) throws {
    let text = (0..<1000).map { object(version, kind, "a\($0)", namespace: "shop") }.joined()
    #expect(
      try read(text).texts.filter { $0.contains(kind) } == [
        "\(kind) shop/a0, \(kind) shop/a1, \(kind) shop/a2 and 997 more: the sender is a pod of the \(sender); ask with --from namespace/pod"
      ])
  }

  @Test(
    "policies of other engines are named in a warning",
    arguments: [
      ("security.istio.io/v1", "AuthorizationPolicy"), ("k8s.ovn.org/v1", "EgressFirewall"),
      ("policy.linkerd.io/v1beta3", "Server"), ("cilium.io/v2", "CiliumNetworkPolicy"),
      ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
      ("projectcalico.org/v3", "NetworkPolicy"), ("crd.projectcalico.org/v1", "NetworkPolicy"),
      ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"), ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
      ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
      ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    ])
  func foreignPolicies(version: String, kind: String) throws {
    let text = object(version, kind, "a", namespace: "x") + object(version, kind, "b")
    let group = version.prefix { $0 != "/" }
    #expect(
      try warnings(text) == ["\(kind) (\(group)) is not modelled: x/a, b; verdicts cover NetworkPolicy v1 only"])
  }

  @Test(
    "a feature that the lab doesn't model is named in a warning",
    arguments: [
      (
        "{containers: [{name: c}], initContainers: [{name: s, restartPolicy: Always, ports: [{containerPort: 80, hostPort: 8080}]}]}",
        "agent",
        "hostPort of a sidecar, or with an unusable hostIP, leads nowhere: the network plugin maps those of spec.containers with a valid hostIP: DaemonSet kube-system/agent (8080)"
      ),
      (
        "{containers: [{name: c}], initContainers: [{name: linkerd-init}]}", "web",
        "a service mesh is not modelled, and no verdict covers it: DaemonSet kube-system/web (Linkerd)"
      ),
      (
        "{containers: [{name: c, image: \"docker.io/calico/node:v3.28.0\", env: [{name: FELIX_BPFENABLED, value: \"true\"}]}]}",
        "calico-node",
        "a service proxy with eBPF is not modelled, and no verdict covers it: DaemonSet kube-system/calico-node (Calico)"
      ),
      (
        "{containers: [{name: c, image: \"cloudnativelabs/kube-router:v2.1\", args: [--run-router=true, --run-service-proxy=true]}]}",
        "kr",
        "a service proxy with IPVS is not modelled, and no verdict covers it: DaemonSet kube-system/kr"
      ),
      (
        "{containers: [{name: c, image: kube-proxy, command: [kube-proxy, --proxy-mode=ipvs]}]}", "kp",
        "a service proxy with IPVS is not modelled, and no verdict covers it: DaemonSet kube-system/kp"
      ),
      (
        "{containers: [{name: c, image: dns/k8s-dns-node-cache:1.23}]}", "dns",
        "NodeLocal DNS without hostNetwork or -localip is not modelled, and no verdict covers it: DaemonSet kube-system/dns"
      ),
    ])
  func features(spec: String, name: String, text: String) throws {
    let daemonSet = object(
      "apps/v1", "DaemonSet", name, namespace: "kube-system",
      rest: "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: \(spec)}}")
    #expect(try warnings(daemonSet) == [text])
  }

  @Test(
    "a feature that is switched off gives no warning",
    arguments: [
      "{containers: [{name: c, image: kube-router, args: [--run-service-proxy=false]}]}",
      "{containers: [{name: c, ports: [{containerPort: 80, hostPort: 8080}]}]}",
      "{containers: [{name: istio-proxy, env: [{name: FELIX_BPFENABLED, value: \"true\"}]}]}",
      "{containers: [{name: c}], initContainers: [{name: s, restartPolicy: Always, ports: [{containerPort: 80, hostPort: 0}]}]}",
      "{hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]}",
    ])
  func absentFeatures(spec: String) throws {
    #expect(try warnings(object("v1", "Pod", "a", rest: "spec: \(spec)")).isEmpty)
  }

  @Test("takes kube-proxy's flags from its config, unless the Cluster document states some")
  func kubeProxyFlags() throws {
    let config = """
      data:
        config.conf: |-
          apiVersion: kubeproxy.config.k8s.io/v1alpha1
          clusterCIDR: ""
          iptables:
            localhostNodePorts: false
            masqueradeAll: true
          kind: KubeProxyConfiguration
          mode: ""
          nodePortAddresses:
          - 192.168.0.0/16
          - "10.0.0.0/8"
          winkernel:
            masqueradeAll: false
      """
    let map = object("v1", "ConfigMap", "kube-proxy", namespace: "kube-system", rest: config)
    // The same in another form: JSON is YAML, and a comment may follow a value.
    for text in [
      #"{"kind": "KubeProxyConfiguration", "mode": "nftables", "nftables": {"masqueradeAll": true}}"#,
      "kind: KubeProxyConfiguration\nmode: nftables # later the default\nnftables: {masqueradeAll: true}",
    ] {
      let lines = text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
      let other = object(
        "v1", "ConfigMap", "kube-proxy", namespace: "kube-system", rest: "data:\n  config.conf: |-\n\(lines)")
      let found = try read(other).cluster.settings.kubeProxy
      #expect(found.mode == .nftables(.v36) && found.masqueradeAll)
    }
    let flags = try read(map).cluster.settings.kubeProxy
    #expect(flags.masqueradeAll && !flags.localhostNodePorts && !flags.knowsClusterCIDR)
    #expect(flags.nodePortAddresses.map(\.description) == ["192.168.0.0/16", "10.0.0.0/8"])
    let document = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nkubeProxy: {localhostNodePorts: true}\n---\n"
    #expect(try read(map, document).cluster.settings.kubeProxy == KubeProxyFlags())
  }

  @Test(
    "a kube-proxy configuration that kube-proxy would refuse is refused",
    arguments: [
      ("mode: foo", "line 2, mode: \"foo\" is no mode of kube-proxy; write iptables, nftables or ipvs"),
      ("nodePortAddresses: [x]", "line 2, nodePortAddresses[0]: "),
      ("mode: [", "line "),
    ])
  func brokenConfiguration(text: String, problem: String) {
    let map = object(
      "v1", "ConfigMap", "kube-proxy", namespace: "kube-system",
      rest: "data:\n  config.conf: |-\n    kind: KubeProxyConfiguration\n    \(text)")
    let start = "ConfigMap kube-system/kube-proxy: data.config.conf: kube-proxy's configuration can't be read: "
    #expect(refusal(map).contains(start + problem))
  }

  @Test("a ConfigMap of kube-proxy without a configuration gets a warning, and one with it is not called skipped")
  func emptyConfiguration() throws {
    let map = { (rest: String) in object("v1", "ConfigMap", "kube-proxy", namespace: "kube-system", rest: rest) }
    let text = "ConfigMap kube-proxy holds no KubeProxyConfiguration: kube-proxy's mode and flags are not known from it"
    #expect(try warnings(map("data: {config.conf: hello}")) == [text])
    #expect(try warnings(map("data: {other: x}")) == [text])
    let used = try read(map("data: {config.conf: \"kind: KubeProxyConfiguration\"}"))
    #expect(used.notes.allSatisfy { !$0.text.contains("ConfigMap") }, "\(used.texts)")
  }

  @Test("finds kube-proxy's nftables mode and its release, unless the Cluster document states a mode")
  func nftablesMode() throws {
    let map = object(
      "v1", "ConfigMap", "kube-proxy", namespace: "kube-system",
      rest: "data:\n  config.conf: |-\n    kind: KubeProxyConfiguration\n    mode: nftables\n    iptables:\n"
        + "      masqueradeAll: true\n    nftables:\n      masqueradeAll: false")
    let pod = { (image: String, command: String) in
      object(
        "v1", "Pod", "kube-proxy-1", namespace: "kube-system",
        rest: "spec: {containers: [{name: c, image: \"\(image)\", command: [kube-proxy, \(command)]}]}")
    }
    let settings = { (texts: String...) in try read(texts.joined()).cluster.settings }
    #expect(try settings(map).kubeProxy.mode == .nftables(.v36) && !settings(map).kubeProxy.masqueradeAll)
    #expect(try settings(map).serviceProxy == .kubeProxy && warnings(map).isEmpty)
    let old = pod("registry.k8s.io/kube-proxy:v1.33.2", "--config=/x")
    #expect(try settings(map, old).kubeProxy.mode == .nftables(.v33))
    #expect(try settings(pod("kube-proxy:v1.35.0@sha256:1", "--proxy-mode=nftables")).kubeProxy.mode == .nftables(.v34))
    #expect(try settings(pod("kube-proxy:v1.35.0", "--proxy-mode=iptables")).kubeProxy.mode == .iptables)
    let document = { (fields: String) in
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nkubeProxy: {\(fields)}\n---\n"
    }
    #expect(try settings(map, document("mode: iptables")).kubeProxy.mode == .iptables)
    #expect(try settings(map, document("version: \"1.33\"")).kubeProxy.mode == .nftables(.v33))
    #expect(try settings(map, document("masqueradeAll: true")).kubeProxy.mode == .nftables(.v36))
    #expect(try settings(document("version: \"1.33\"")).kubeProxy.mode == .iptables)
  }

  @Test("warns of a proxy whose configuration is not in the input")
  func unknownProxies() throws {
    let pod = { (name: String, container: String) in
      object("v1", "Pod", name, namespace: "kube-system", rest: "spec: {containers: [{name: c, \(container)}]}")
    }
    let proxy = pod("kube-proxy-1", "image: \"registry.k8s.io/kube-proxy:v1.33.1\", command: [kube-proxy, --config=/x]")
    let agent = pod("cilium-1", "image: \"quay.io/cilium/cilium:v1.17.0\"")
    let missing = { (text: String) in try warnings(text).filter { $0.contains("which is not in the input") } }
    #expect(try missing(proxy).count == 1 && missing(agent).count == 1 && missing(proxy + agent).count == 2)
    let map = object(
      "v1", "ConfigMap", "kube-proxy", namespace: "kube-system",
      rest: "data: {config.conf: \"kind: KubeProxyConfiguration\"}")
    #expect(try missing(proxy + map).isEmpty)
    #expect(try missing(pod("kube-proxy-1", "image: kube-proxy, command: [kube-proxy, --proxy-mode=iptables]")).isEmpty)
  }

  @Test("finds Cilium's own service proxy in its config", arguments: [("true", 1), ("strict", 1), ("false", 0)])
  func cilium(value: String, count: Int) throws {
    let text = object(
      "v1", "ConfigMap", "cilium-config", namespace: "kube-system",
      rest: "data: {kube-proxy-replacement: \"\(value)\"}")
    #expect(try warnings(text).count == count)
  }

  @Test(
    "detects IPVS in kube-proxy's config",
    arguments: [("ipvs", 1), ("\"ipvs\"", 1), ("nftables", 0), ("iptables", 0), ("\"\"", 0)])
  func kubeProxy(mode: String, count: Int) throws {
    let data =
      "data:\n  config.conf: |-\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n    ipvs:\n      minSyncPeriod: 0s\n    mode: \(mode)"
    #expect(try warnings(object("v1", "ConfigMap", "kube-proxy", namespace: "kube-system", rest: data)).count == count)
  }

  @Test("a namespace without an object has only its name label, and one note")
  func namespaces() throws {
    let reading = try read(
      podText("a", namespace: "shop") + podText("b", namespace: "bar") + podText("c") + policyText("{}"),
      object("v1", "Namespace", "bar", rest: ""), object("v1", "Namespace", "empty"))
    #expect(reading.cluster.namespaces.map(\.name) == ["bar", "default", "empty", "shop"])
    #expect(reading.cluster.labels(ofNamespace: "shop") == ["kubernetes.io/metadata.name": "shop"])
    #expect(
      reading.texts.filter { $0.contains("Namespace") } == [
        "no Namespace object: shop; assumed with only the name label"
      ])
  }

  @Test("the order of the sources changes only the locations")
  func order() throws {
    let texts = [podText("b"), podText("a"), policyText("{}")]
    var forward = try read(texts[0], texts[1], texts[2]).cluster
    var backward = try read(texts[2], texts[1], texts[0]).cluster
    for index in forward.pods.indices { (forward.pods[index].location, backward.pods[index].location) = (nil, nil) }
    for index in forward.policies.indices {
      (forward.policies[index].location, backward.policies[index].location) = (nil, nil)
    }
    #expect(forward == backward)
  }
}
