internal import NetpolModel
internal import Statistics

/// The cluster's own workloads, as far as there are enough pods for them: CoreDNS, metrics-server, an ingress
/// controller and a node exporter on each node, Prometheus.
struct SystemWorkloads {
  private(set) var namespaces: [PlannedNamespace]
  private(set) var podCount = 0
  private let budget: Int

  static let dns = "kube-system"
  static let ingress = "ingress"
  static let monitoring = "monitoring"

  /// `budget`: the most pods that they may have.
  init(budget: Int, nodes: Int, _ random: inout SplitMix64) {
    self.budget = budget
    namespaces = [
      Self.namespace("default", [:]), Self.namespace(Self.dns, [:]),
      Self.namespace(Self.ingress, ["team": "platform", "tier": "edge"]),
      Self.namespace(Self.monitoring, ["team": "platform", "tier": "observability"]),
    ]
    addDNS(&random)
    addMetricsServer(&random)
    addIngress(nodes, &random)
    addNodeExporter(nodes, &random)
    addPrometheus(&random)
    for index in namespaces.indices { namespaces[index].workloads.sort { $0.name < $1.name } }
  }

  private static func namespace(_ name: String, _ labels: Labels) -> PlannedNamespace {
    let own = ["kubernetes.io/metadata.name": name]
    return PlannedNamespace(name: name, labels: labels.merging(own) { first, _ in first }, isOfTeam: false)
  }

  /// Adds as many pods as there may be, if that is all or if some of them are enough.
  private mutating func add(
    _ workload: PlannedWorkload, pods wanted: Int, needsAll: Bool, _ random: inout SplitMix64
  ) {
    let count = min(wanted, budget - podCount)
    guard count > 0, count == wanted || !needsAll,
      let index = namespaces.firstIndex(where: { $0.name == workload.namespace })
    else { return }
    var workload = workload
    workload.addPods(count, &random) { _ in .ready }
    podCount += count
    namespaces[index].workloads.append(workload)
  }

  private mutating func addDNS(_ random: inout SplitMix64) {
    let ports = [PlannedPort("dns", 53, .udp), PlannedPort("dns-tcp", 53), PlannedPort("metrics", 9153)]
    var workload = PlannedWorkload(
      namespace: Self.dns, name: "coredns", kind: .deployment, labels: ["k8s-app": "kube-dns"],
      image: "coredns:1.12.3", ports: ports,
      requests: ResourceRequests(cpu: "100m", memory: "70Mi", limit: "170Mi"), identity: Identity(random.next()),
      template: Identity(random.next()))
    var service = PlannedService(
      name: "kube-dns", kind: .clusterIP,
      ports: [
        PlannedServicePort("dns", 53, to: "dns", .udp), PlannedServicePort("dns-tcp", 53, to: "dns-tcp"),
        PlannedServicePort("metrics", 9153, to: "metrics"),
      ], identity: Identity(random.next()))
    // k3s's default for --cluster-dns.
    service.addressOffset = 10
    workload.services = [service]
    add(workload, pods: 2, needsAll: false, &random)
  }

  private mutating func addMetricsServer(_ random: inout SplitMix64) {
    var workload = PlannedWorkload(
      namespace: Self.dns, name: "metrics-server", kind: .deployment, labels: ["k8s-app": "metrics-server"],
      image: "metrics-server:v0.8.0", ports: [PlannedPort("https", 10_250)],
      requests: ResourceRequests(cpu: "100m", memory: "70Mi", limit: "200Mi"), identity: Identity(random.next()),
      template: Identity(random.next()))
    var service = PlannedService(
      name: "metrics-server", kind: .clusterIP, ports: [PlannedServicePort("https", 443, to: "https")],
      identity: Identity(random.next()))
    service.addressOffset = 44
    workload.services = [service]
    add(workload, pods: 1, needsAll: true, &random)
  }

  private mutating func addIngress(_ nodes: Int, _ random: inout SplitMix64) {
    var workload = PlannedWorkload(
      namespace: Self.ingress, name: "ingress-controller", kind: .daemonSet,
      labels: [PlannedWorkload.nameKey: "ingress-controller"], image: "ingress-controller:3.4.1",
      ports: [PlannedPort("http", 80), PlannedPort("https", 443)],
      requests: ResourceRequests(cpu: "100m", memory: "90Mi", limit: "512Mi"), identity: Identity(random.next()),
      template: Identity(random.next()))
    workload.hostNetwork = true
    add(workload, pods: nodes, needsAll: true, &random)
  }

  private mutating func addNodeExporter(_ nodes: Int, _ random: inout SplitMix64) {
    var workload = PlannedWorkload(
      namespace: Self.monitoring, name: "node-exporter", kind: .daemonSet,
      labels: [PlannedWorkload.nameKey: "node-exporter"], image: "node-exporter:v1.9.1",
      ports: [PlannedPort("metrics", 9100)],
      requests: ResourceRequests(cpu: "50m", memory: "32Mi", limit: "64Mi"), identity: Identity(random.next()),
      template: Identity(random.next()))
    workload.hostNetwork = true
    workload.services = [
      PlannedService(
        name: "node-exporter", kind: .headless, ports: [PlannedServicePort("metrics", 9100, to: "metrics")],
        identity: Identity(random.next()))
    ]
    add(workload, pods: nodes, needsAll: true, &random)
  }

  private mutating func addPrometheus(_ random: inout SplitMix64) {
    var workload = PlannedWorkload(
      namespace: Self.monitoring, name: "prometheus", kind: .statefulSet,
      labels: [PlannedWorkload.nameKey: "prometheus"], image: "prometheus:v3.5.0",
      ports: [PlannedPort("web", 9090)],
      requests: ResourceRequests(cpu: "1500m", memory: "4Gi", limit: "8Gi"), identity: Identity(random.next()),
      template: Identity(random.next()))
    var service = PlannedService(
      name: "prometheus", kind: .clusterIP, ports: [PlannedServicePort("web", 9090, to: "web")],
      identity: Identity(random.next()))
    service.addressOffset = 90
    workload.services = [service]
    add(workload, pods: 1, needsAll: true, &random)
  }
}
