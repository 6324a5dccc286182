internal import NetpolModel
internal import Statistics

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
