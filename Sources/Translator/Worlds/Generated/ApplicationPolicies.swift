internal import NetpolModel
internal import Statistics

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

/// A policy that some workloads have beside those of their application.
enum ExtraPolicy: String, CaseIterable {
  case partner, teams, internet, range, scrape, office

  func policy(
    for workload: PlannedWorkload, _ turn: Int, _ families: [IPFamily], _ random: inout SplitMix64
  ) -> NetworkPolicy {
    let purpose = "\(rawValue)-\(turn)"
    let own: [NetworkPolicy.PortRule] = workload.ports.prefix(1).map { port in
      .init(port.transport, turn % 2 == 0 ? .name(port.name) : .number(port.number, through: nil))
    }
    switch self {
    case .partner:
      let block = families.contains(.v4) ? Self.partnerBlock(&random) : .documentation
      let ports: [NetworkPolicy.PortRule] = [
        .init(.tcp, .number(443, through: nil)), .init(.tcp, .number(8443, through: nil)),
      ]
      return workload.allowed([.init(peers: .listed([.block(block)]), ports: .listed(ports))], purpose)
    case .teams:
      let teams = random.some(2, of: ["shop", "pay", "search", "media", "ledger", "reports", "audit"]).sorted()
      let scope = LabelSelector(matchExpressions: [.init(key: "team", operator: .in, values: teams)])
      let web = LabelSelector(matchExpressions: [
        .init(key: PlannedWorkload.componentKey, operator: .in, values: ["api", "web", "worker"])
      ])
      return workload.admitting([.pods(in: .matching(scope), matching: web)], own, purpose)
    case .internet:
      return workload.allowed(
        [
          .init(
            peers: .listed(families.map { .internet($0) }), ports: .listed([.init(.tcp, .number(443, through: nil))]))
        ],
        purpose)
    case .range:
      let first = UInt16(8000 + 100 * random.below(20))
      let scope = LabelSelector(matchExpressions: [.init(key: "stage", operator: .notIn, values: ["dev", "test"])])
      return workload.admitting(
        [.pods(in: .matching(scope), matching: .everything)], [.init(.tcp, .number(first, through: first + 99))],
        purpose)
    case .scrape:
      let prometheus = LabelSelector(matchLabels: [PlannedWorkload.nameKey: "prometheus"])
      return workload.admitting(
        [.pods(in: .named(SystemWorkloads.monitoring), matching: prometheus)], own, purpose)
    case .office:
      let block = families.contains(.v4) ? Self.officeBlock(&random) : .documentation
      return workload.admitting([.block(block)], own, purpose)
    }
  }

  /// A part of a network for documentation (RFC 5737), mostly without one of its hosts.
  private static func partnerBlock(_ random: inout SplitMix64) -> NetworkPolicy.IPBlock {
    let network: UInt32 = random.chance(50) ? 0xc633_6400 : 0xcb00_7100
    let block = CIDR(IPAddress(v4: network + UInt32(64 * random.below(4))), prefixLength: 26)
    let host = block.network.advanced(by: UInt128(random.number(1...62)))
    return .init(block, except: random.chance(60) ? [CIDR(host)] : [])
  }

  /// Some of a company's private networks.
  private static func officeBlock(_ random: inout SplitMix64) -> NetworkPolicy.IPBlock {
    let block = CIDR(IPAddress(v4: 0xac10_0000 + UInt32(random.below(16)) << 12), prefixLength: 20)
    let guests = CIDR(block.network.advanced(by: UInt128(256 * random.below(16))), prefixLength: 24)
    return .init(block, except: [guests])
  }
}

extension NetworkPolicy.IPBlock {
  fileprivate static let documentation = Self(CIDR(IPAddress(v6: 0x2001_0db8 << 96), prefixLength: 32))
}

extension NetworkPolicy.Peer {
  /// All addresses but the private ones (RFC 1918, RFC 4193).
  fileprivate static func internet(_ family: IPFamily) -> NetworkPolicy.Peer {
    let all = CIDR(IPAddress(family: family, bits: 0), prefixLength: 0)
    let own =
      family == .v4
      ? [
        CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8), CIDR(IPAddress(v4: 0xac10_0000), prefixLength: 12),
        CIDR(IPAddress(v4: 0xc0a8_0000), prefixLength: 16),
      ] : [CIDR(IPAddress(v6: 0xfc00 << 112), prefixLength: 7)]
    return .block(.init(all, except: own))
  }
}

extension NetworkPolicy.NamespaceScope {
  static func named(_ name: String) -> Self { .matching(.init(matchLabels: ["kubernetes.io/metadata.name": name])) }
}

extension PlannedWorkload {
  /// A policy for the workload's pods that admits the peers to the ports, named after whom it admits.
  fileprivate func admitting(
    _ peers: [NetworkPolicy.Peer], _ ports: [NetworkPolicy.PortRule], _ purpose: String
  ) -> NetworkPolicy {
    NetworkPolicy(
      id: PolicyID(namespace, "\(name)-from-\(purpose)"), podSelector: .init(matchLabels: selector),
      isolates: [.ingress], ingress: [.init(peers: .listed(peers), ports: .listed(ports))])
  }

  /// A policy that lets the workload's pods send, named after where to.
  fileprivate func allowed(_ rules: [NetworkPolicy.Rule], _ purpose: String) -> NetworkPolicy {
    NetworkPolicy(
      id: PolicyID(namespace, "\(name)-to-\(purpose)"), podSelector: .init(matchLabels: selector), isolates: [.egress],
      egress: rules)
  }
}
