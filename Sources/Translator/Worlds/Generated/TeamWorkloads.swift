internal import NetpolModel
internal import Statistics

/// The namespaces of teams, with applications of several tiers. Large clusters have more and larger namespaces.
struct TeamWorkloads {
  private(set) var namespaces: [PlannedNamespace] = []
  private var services = ServiceNumbers()
  /// Workloads have up to this many times the usual replicas.
  private let scale: Int

  /// `pods`: at least 1.
  init(pods: Int, _ random: inout SplitMix64) {
    scale = 1 + pods / 3000
    let names = TeamNames(&random)
    let sizes = Self.sizes(pods, &random)
    for (number, size) in sizes.enumerated() {
      let (name, team, stage) = names.namespace(number)
      var namespace = PlannedNamespace(
        name: name,
        labels: [
          "kubernetes.io/metadata.name": name, "team": team, "stage": stage,
          "tier": random.one(of: ["product", "product", "data", "internal"], else: "product"),
          "pod-security.kubernetes.io/enforce": "baseline",
        ], isOfTeam: true)
      fill(&namespace, size, isFirst: number == 0, &random)
      namespace.workloads.sort { $0.name < $1.name }
      namespaces.append(namespace)
    }
  }

  /// The number of pods of each namespace.
  private static func sizes(_ pods: Int, _ random: inout SplitMix64) -> [Int] {
    let count = pods < 1000 ? min(1 + pods / 12, 40) : 30 + pods / 100
    let weights = (0..<count).map { _ in random.number(1...6) }
    let sum = weights.reduce(0, +)
    var sizes = weights.map { 1 + (pods - count) * $0 / sum }
    for index in 0..<(pods - sizes.reduce(0, +)) { sizes[index % count] += 1 }
    return sizes
  }

  private mutating func fill(
    _ namespace: inout PlannedNamespace, _ size: Int, isFirst: Bool, _ random: inout SplitMix64
  ) {
    var left = size
    var application = 0
    while left > 0 {
      let name = TeamNames.application(application, in: namespace.name)
      for tier in Tier.allCases where left > 0 && (application == 0 || tier == .api || random.chance(60)) {
        let replicas = min(left, random.number(tier.replicas) * random.number(1...scale))
        left -= replicas
        namespace.workloads.append(
          workload(
            tier, of: name, in: namespace.name, isMain: application == 0,
            isPublic: isFirst && application == 0, replicas, &random))
      }
      application += 1
    }
  }

  private mutating func workload(
    _ tier: Tier, of application: String, in namespace: String, isMain: Bool, isPublic: Bool, _ replicas: Int,
    _ random: inout SplitMix64
  ) -> PlannedWorkload {
    let name = isMain ? tier.rawValue : "\(application)-\(tier.rawValue)"
    let version = "\(random.number(1...4)).\(random.number(0...19)).\(random.number(0...9))"
    var workload = PlannedWorkload(
      namespace: namespace, name: name, kind: tier.kind,
      labels: [
        PlannedWorkload.nameKey: application, PlannedWorkload.componentKey: tier.rawValue,
        "app.kubernetes.io/instance": application, "app.kubernetes.io/part-of": namespace,
        "app.kubernetes.io/version": version, "app.kubernetes.io/managed-by": "Helm",
      ],
      image: "\(namespace)/\(application)-\(tier.rawValue):\(version)", ports: tier.ports,
      requests: tier.requests, identity: Identity(random.next()), template: Identity(random.next()))
    workload.tier = tier
    workload.application = application
    workload.addPods(replicas, &random) { random in
      let lot = random.below(1000)
      if tier == .report { return lot < 900 ? .succeeded : .ready }
      return lot < 4 ? .pending : lot < 10 ? .unready : .ready
    }
    workload.services = services(of: tier, name, isPublic: isPublic, &random)
    return workload
  }

  private mutating func services(
    of tier: Tier, _ name: String, isPublic: Bool, _ random: inout SplitMix64
  ) -> [PlannedService] {
    let ports = tier.servicePorts
    if ports.isEmpty { return [] }
    var service = PlannedService(
      name: name, kind: tier == .db ? .headless : .clusterIP, ports: ports, identity: Identity(random.next()))
    if tier == .web, random.chance(15) || isPublic, let nodePort = services.nextNodePort() {
      service.kind = isPublic ? .loadBalancer : .nodePort
      service.nodePort = nodePort
    }
    // The ingress controller has port 80 of the nodes, whose addresses a balancer has too.
    if service.kind == .loadBalancer { service.ports = [PlannedServicePort("http", 8080, to: "http")] }
    if service.kind != .headless { service.addressOffset = services.nextOffset() }
    if tier != .db { return [service] }
    var primary = PlannedService(
      name: "\(name)-primary", kind: .clusterIP, ports: ports, identity: Identity(random.next()))
    primary.addressOffset = services.nextOffset()
    return [service, primary]
  }
}

/// The next free address and port for a Service.
private struct ServiceNumbers {
  private var offset: UInt16 = 0
  private var nodePort: UInt16 = 30_080
  private static let lastNodePort: UInt16 = 32_767

  /// The last 16 bits of its address. They are scattered, as in clusters.
  mutating func nextOffset() -> UInt16 {
    repeat {
      // An odd step goes through all numbers.
      offset &+= 40_503
    } while offset < 256 || offset == .max
    return offset
  }

  mutating func nextNodePort() -> UInt16? {
    if nodePort > Self.lastNodePort { return nil }
    defer { nodePort += 1 }
    return nodePort
  }
}
