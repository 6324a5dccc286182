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
    case nobody(LoadBalancing)
  }

  public let service: NamespacedName
  public let address: IPAddress
  /// `nil` if no node answers.
  public let node: String?
  public let basis: Basis
}

extension Cluster {
  /// Who answers for each announced address, by address. If several services list an address, the first by name
  /// counts. Addresses that a load balancer translates itself are left out.
  public var announcements: [IPAddress: Announcement] {
    var found: [IPAddress: Announcement] = [:]
    for service in services.sorted(by: { $0.id < $1.id }) {
      for address in service.translatedAddresses where found[address] == nil {
        found[address] = announcement(of: address, service)
      }
    }
    return found
  }

  private func announcement(of address: IPAddress, _ service: Service) -> Announcement {
    let answer = { (node: String?, basis: Announcement.Basis) in
      Announcement(service: service.id, address: address, node: node, basis: basis)
    }
    if let stated = settings.loadBalancerAnnouncer, node(stated) != nil { return answer(stated, .stated) }
    if let host = service.announcingNode, node(host) != nil { return answer(host, .annotation(host)) }
    let isBalanced = service.loadBalancerIPs.contains { $0.address == address }
    switch isBalanced ? settings.loadBalancing : nil {
    case .metallbL2:
      let first = service.loadBalancerIPs.first.map { "\($0.address)" } ?? ""
      // "speaker/layer2_controller.go": sorted by the hash of node and address.
      let chosen = metalLBNodes(service).map { (hash: sha256(Array("\($0)#\(first)".utf8)), name: $0) }
        .min { $0.hash.lexicographicallyPrecedes($1.hash) }
      return chosen.map { answer($0.name, .rule(.metallbL2)) } ?? answer(nil, .nobody(.metallbL2))
    case .metallbBGP:
      let nodes = metalLBNodes(service).sorted()
      guard let first = nodes.first else { return answer(nil, .nobody(.metallbBGP)) }
      return answer(first, nodes.count == 1 ? .rule(.metallbBGP) : .oneOfSeveral(.metallbBGP, nodes))
    case .kubeVIP, .servicelb, nil: return answer(nodes.map(\.name).min(), .assumed)
    }
  }

  /// The nodes whose speaker may announce a service: those that no label excludes, with traffic policy Local only those
  /// with a serving endpoint. None if the service has none at all.
  private func metalLBNodes(_ service: Service) -> [String] {
    let serving = slices(of: service.id).flatMap(\.members).filter { $0.isReady || $0.isServing }
    if serving.isEmpty { return [] }
    let local = Set(serving.compactMap(\.node))
    return nodes.filter { node in
      node.labels["node.kubernetes.io/exclude-from-external-load-balancers"] == nil
        && (service.externalTrafficPolicy == .cluster || local.contains(node.name))
    }.map(\.name)
  }
}
