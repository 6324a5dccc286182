internal import NetpolModel

/// The policies between the tiers of one application.
struct ApplicationPolicies {
  /// On the way of a request: from the ingress controller to the web tier, the API and the database.
  private(set) var request: [NetworkPolicy] = []
  /// Everything else.
  private(set) var background: [NetworkPolicy] = []
  private let workloads: [Tier: PlannedWorkload]
  private let families: [IPFamily]

  init(_ workloads: [PlannedWorkload], deniesEgress: Bool, _ families: [IPFamily]) {
    self.workloads = Dictionary(workloads.compactMap { workload in workload.tier.map { ($0, workload) } }) { first, _ in
      first
    }
    self.families = families
    addIngress()
    if deniesEgress { addEgress() }
  }

  private mutating func addIngress() {
    if let web = workloads[.web] {
      let controller = NetworkPolicy.Peer.pods(
        in: .named(SystemWorkloads.ingress),
        matching: .init(matchLabels: [PlannedWorkload.nameKey: "ingress-controller"]))
      // The controller is on its node's network, so a packet's source is the node.
      let nodes = NetworkPolicy.Peer.block(.init(CIDR(IPAddress(v4: 0xc0a8_1000), prefixLength: 20)))
      let peers = families.contains(.v4) ? [controller, nodes] : [controller]
      request.append(web.admitting(peers, [.init(.tcp, .name("http"))], "ingress"))
    }
    if let api = workloads[.api] {
      let ports: [NetworkPolicy.PortRule] = [.init(.tcp, .name("http")), .init(.tcp, .number(9090, through: nil))]
      let peers = peers(.web, .worker)
      if !peers.isEmpty { request.append(api.admitting(peers, ports, "web")) }
    }
    if let db = workloads[.db] {
      let clients = LabelSelector(
        matchLabels: [PlannedWorkload.nameKey: db.application],
        matchExpressions: [
          .init(key: PlannedWorkload.componentKey, operator: .in, values: ["api", "worker", "report"])
        ])
      request.append(
        db.admitting(
          [.pods(in: .own, matching: clients)], [.init(.tcp, .number(5432, through: nil))], "clients"))
      if db.pods.count > 1 {
        let replicas = NetworkPolicy.Peer.pods(in: .own, matching: .init(matchLabels: db.selector))
        background.append(db.admitting([replicas], [.init(.tcp, .number(5432, through: 5439))], "replicas"))
      }
    }
    if let cache = workloads[.cache] {
      let peers = peers(.api, .worker)
      if !peers.isEmpty { background.append(cache.admitting(peers, [.init(.tcp, .name("redis"))], "api")) }
    }
  }

  private mutating func addEgress() {
    if let web = workloads[.web], !peers(.api).isEmpty {
      request.append(
        web.allowed([.init(peers: .listed(peers(.api)), ports: .listed([.init(.tcp, .name("http"))]))], "api"))
    }
    for tier in [Tier.api, .worker, .report] {
      guard let client = workloads[tier] else { continue }
      var rules: [NetworkPolicy.Rule] = []
      if !peers(.db).isEmpty {
        rules.append(.init(peers: .listed(peers(.db)), ports: .listed([.init(.tcp, .number(5432, through: nil))])))
      }
      if !peers(.cache).isEmpty {
        rules.append(.init(peers: .listed(peers(.cache)), ports: .listed([.init(.tcp, .name("redis"))])))
      }
      if tier == .worker {
        rules.append(
          .init(
            peers: .listed(families.map { .internet($0) }), ports: .listed([.init(.tcp, .number(443, through: nil))])))
      }
      if rules.isEmpty { continue }
      if tier == .api {
        request.append(client.allowed(rules, "data"))
      } else {
        background.append(client.allowed(rules, "data"))
      }
    }
  }

  /// The pods of those tiers that the application has.
  private func peers(_ tiers: Tier...) -> [NetworkPolicy.Peer] {
    tiers.compactMap { workloads[$0] }.map { .pods(in: .own, matching: .init(matchLabels: $0.selector)) }
  }
}
