/// The program that makes the addresses of load balancers known outside the cluster.
public enum LoadBalancing: String, Hashable, Sendable, CaseIterable {
  case metallbL2 = "metallb-l2"
  case metallbBGP = "metallb-bgp"
  case kubeVIP = "kube-vip"
  /// k3s's own: the addresses are those of nodes.
  case servicelb

  /// Its name for people.
  public var title: String {
    switch self {
    case .metallbL2: "MetalLB, layer 2"
    case .metallbBGP: "MetalLB, BGP"
    case .kubeVIP: "kube-vip"
    case .servicelb: "servicelb"
    }
  }
}

/// Which node answers outside the cluster for an address of a service.
public struct Announcement: Hashable, Sendable {
  public enum Basis: Hashable, Sendable {
    /// `loadBalancerAnnouncer` of the Cluster document.
    case stated
    /// The program's own rule decides between the nodes.
    case rule(LoadBalancing)
    /// Several nodes answer, and a router spreads connections over them. This is the first by name.
    case oneOfSeveral(LoadBalancing, [String])
    /// An annotation of the service says so.
    case annotation(String)
    /// Nothing says who answers. This is the first node by name.
    case assumed
    /// No node answers.
    case nobody(LoadBalancing, Absence)
  }

  /// Why no node answers for an address.
  public enum Absence: Hashable, Sendable {
    /// The Service has no serving endpoint at all.
    case noEndpoint
    /// No pool of the program holds the address.
    case noPool
    /// No advertisement is for this pool and Service. `nil` if no pool is known.
    case notAdvertised(pool: String?)
    /// Services share the address, and an advertisement selects Services.
    case sharedAddress
    /// Nodes with a serving endpoint may not announce, or the traffic policy is Local and no node that may has one.
    case noNode
  }

  public let service: NamespacedName
  public let address: IPAddress
  /// `nil` if no node answers.
  public let node: String?
  public let basis: Basis
}

extension Cluster {
  /// Who answers for each announced address, by address. If several services list an address, the first by name counts
  /// for which a node answers. Addresses that a load balancer translates itself are left out.
  public var announcements: [IPAddress: Announcement] {
    var found: [IPAddress: Announcement] = [:]
    for service in services.sorted(by: { $0.id < $1.id }) {
      for address in service.translatedAddresses where found[address]?.node == nil {
        let new = announcement(of: address, service)
        if found[address] == nil || new.node != nil { found[address] = new }
      }
    }
    return found
  }

  /// The program that announces a service's addresses: the one that its class names, or else the cluster's. `nil` for
  /// another program's class, or if nothing shows one.
  private func announcer(of service: Service) -> LoadBalancing? {
    guard let name = service.loadBalancerClass else { return settings.loadBalancing }
    let isMetalLB = settings.loadBalancing == .metallbL2 || settings.loadBalancing == .metallbBGP
    if name.contains("metallb") { return isMetalLB ? settings.loadBalancing : .metallbL2 }
    return name.contains("kube-vip") ? .kubeVIP : nil
  }

  private func announcement(of address: IPAddress, _ service: Service) -> Announcement {
    let answer = { (node: String?, basis: Announcement.Basis) in
      Announcement(service: service.id, address: address, node: node, basis: basis)
    }
    if let stated = settings.loadBalancerAnnouncer, node(stated) != nil { return answer(stated, .stated) }
    if let host = service.announcingNode, node(host) != nil { return answer(host, .annotation(host)) }
    let isBalanced = service.loadBalancerIPs.contains { $0.address == address }
    switch isBalanced ? announcer(of: service) : nil {
    case .metallbL2:
      if let chosen = layer2Announcer(of: address, service) { return answer(chosen, .rule(.metallbL2)) }
      // The pool of this address may be advertised in the other mode alone.
      let nodes = settings.metalLB.has(.metallbBGP) ? bgpAnnouncers(of: address, service) : []
      return nodes.first.map { answer($0, .bgp(nodes)) }
        ?? answer(nil, .nobody(.metallbL2, absence(of: address, service, by: .metallbL2)))
    case .metallbBGP:
      let nodes = bgpAnnouncers(of: address, service)
      if let first = nodes.first { return answer(first, .bgp(nodes)) }
      let chosen = settings.metalLB.has(.metallbL2) ? layer2Announcer(of: address, service) : nil
      return chosen.map { answer($0, .rule(.metallbL2)) }
        ?? answer(nil, .nobody(.metallbBGP, absence(of: address, service, by: .metallbBGP)))
    case .kubeVIP: return kubeVIPAnnouncement(of: address, service)
    case .servicelb, nil: return answer(nodes.map(\.name).min(), .assumed)
    }
  }

  /// kube-vip's leader answers for all Services, or with an election for each Service its own. Leases name the leaders.
  /// With traffic policy Local, the leader withdraws an address without a serving endpoint of its own.
  private func kubeVIPAnnouncement(of address: IPAddress, _ service: Service) -> Announcement {
    let answer = { (node: String?, basis: Announcement.Basis) in
      Announcement(service: service.id, address: address, node: node, basis: basis)
    }
    let local = Set(slices(of: service.id).flatMap(\.members).filter { $0.isReady || $0.isServing }.compactMap(\.node))
    let isLocal = service.externalTrafficPolicy == .local
    if settings.kubeVIPUsesBGP {
      let nodes = nodes.map(\.name).filter { !isLocal || local.contains($0) }.sorted()
      guard let first = nodes.first else {
        return answer(nil, .nobody(.kubeVIP, local.isEmpty ? .noEndpoint : .noNode))
      }
      return answer(first, nodes.count == 1 ? .rule(.kubeVIP) : .oneOfSeveral(.kubeVIP, nodes))
    }
    let leader = settings.kubeVIPLeaders[service.id] ?? settings.kubeVIPLeaders[nil]
    if let leader, node(leader) != nil {
      return isLocal && !local.contains(leader)
        ? answer(nil, .nobody(.kubeVIP, local.isEmpty ? .noEndpoint : .noNode)) : answer(leader, .rule(.kubeVIP))
    }
    let candidates = nodes.map(\.name).filter { !isLocal || local.contains($0) }.sorted()
    if isLocal, candidates.count < 2 {
      return candidates.isEmpty
        ? answer(nil, .nobody(.kubeVIP, local.isEmpty ? .noEndpoint : .noNode)) : answer(candidates[0], .rule(.kubeVIP))
    }
    return answer(candidates.first, .assumed)
  }
}

extension Announcement.Basis {
  /// These nodes announce an address over BGP.
  fileprivate static func bgp(_ nodes: [String]) -> Announcement.Basis {
    nodes.count == 1 ? .rule(.metallbBGP) : .oneOfSeveral(.metallbBGP, nodes)
  }
}
