/// The objects with which MetalLB's users say which nodes announce which addresses.
public struct MetalLB: Hashable, Sendable {
  /// `IPAddressPool`.
  public struct Pool: Hashable, Sendable {
    public let name: String
    public let labels: Labels
    public let ranges: [ClosedRange<IPAddress>]
    public init(name: String, labels: Labels, ranges: [ClosedRange<IPAddress>]) {
      self.name = name
      self.labels = labels
      self.ranges = ranges
    }

    func contains(_ address: IPAddress) -> Bool {
      ranges.contains { $0.lowerBound.family == address.family && $0.contains(address) }
    }
  }

  /// `L2Advertisement` or `BGPAdvertisement`. An empty list of selectors or names restricts nothing.
  public struct Advertisement: Hashable, Sendable {
    public struct Preference: Hashable, Sendable {
      public let weight: Int
      public let nodes: LabelSelector
      public init(weight: Int, nodes: LabelSelector) {
        self.weight = weight
        self.nodes = nodes
      }
    }

    /// `.metallbL2` or `.metallbBGP`.
    public let program: LoadBalancing
    public var pools: [String] = []
    public var poolSelectors: [LabelSelector] = []
    public var nodeSelectors: [LabelSelector] = []
    public var serviceSelectors: [LabelSelector] = []
    public var preferences: [Preference] = []
    public init(_ program: LoadBalancing) { self.program = program }

    /// `pool` is `nil` if no pool is known.
    func announces(_ pool: Pool?, for service: Service) -> Bool {
      let isItsPool =
        pool.map { pool in
          pools.isEmpty && poolSelectors.isEmpty || pools.contains(pool.name)
            || poolSelectors.contains { $0.matches(pool.labels) }
        } ?? true
      return isItsPool
        && (serviceSelectors.isEmpty || serviceSelectors.contains { $0.matches(service.labels) })
    }

    func admits(_ node: Node) -> Bool { nodeSelectors.isEmpty || nodeSelectors.contains { $0.matches(node.labels) } }
  }

  public var pools: [Pool] = []
  public var advertisements: [Advertisement] = []
  public init() {}

  public func has(_ program: LoadBalancing) -> Bool { advertisements.contains { $0.program == program } }

  /// The advertisements of an address by one of MetalLB's modes. If there is none of this mode for any address, one that
  /// restricts nothing.
  func advertisements(of address: IPAddress, _ service: Service, by program: LoadBalancing) -> [Advertisement] {
    guard has(program) else { return [Advertisement(program)] }
    let pool = pools.first { $0.contains(address) }
    let matching = advertisements.filter {
      $0.program == program && (pool != nil || pools.isEmpty) && $0.announces(pool, for: service)
    }
    // "speaker/layer2_controller.go": services that share an address must have the same advertisements.
    let isShared = service.sharesAddress && matching.contains { !$0.serviceSelectors.isEmpty }
    return program == .metallbL2 && isShared ? [] : matching
  }
}

extension Cluster {
  /// The node that MetalLB's layer 2 chooses: of the nodes that may announce, one that is preferred most, and among
  /// equals the one with the lowest hash of its name and the Service's first address (speaker/layer2_controller.go).
  func layer2Announcer(of address: IPAddress, _ service: Service) -> String? {
    let advertisements = settings.metalLB.advertisements(of: address, service, by: .metallbL2)
    let first = service.loadBalancerIPs.first.map { "\($0.address)" } ?? ""
    let candidates = announcingNodes(service, advertisements).map { node in
      let weight = advertisements.flatMap(\.preferences).filter { $0.nodes.matches(node.labels) }.map(\.weight)
        .reduce(0, +)
      return (weight: weight, hash: sha256(Array("\(node.name)#\(first)".utf8)), name: node.name)
    }
    return candidates.min {
      $0.weight == $1.weight ? $0.hash.lexicographicallyPrecedes($1.hash) : $0.weight > $1.weight
    }?.name
  }

  /// Why no node announces an address.
  func absence(of address: IPAddress, _ service: Service, by program: LoadBalancing) -> Announcement.Absence {
    if !slices(of: service.id).flatMap(\.members).contains(where: { $0.isReady || $0.isServing }) { return .noEndpoint }
    let metalLB = settings.metalLB
    let pool = metalLB.pools.first { $0.contains(address) }
    if pool == nil, !metalLB.pools.isEmpty { return .noPool }
    let matching = metalLB.advertisements.filter { $0.announces(pool, for: service) }
    if matching.isEmpty, !metalLB.advertisements.isEmpty { return .notAdvertised(pool: pool?.name) }
    let used = metalLB.advertisements(of: address, service, by: program)
    return used.isEmpty && !matching.isEmpty ? .sharedAddress : .noNode
  }

  /// The nodes that announce an address over BGP, all at once, sorted by name.
  public func bgpAnnouncers(of address: IPAddress, _ service: Service) -> [String] {
    announcingNodes(service, settings.metalLB.advertisements(of: address, service, by: .metallbBGP)).map(\.name)
      .sorted()
  }

  /// The nodes whose speaker may announce a service: of those with one, if any is known, those that an advertisement admits and nothing excludes, with
  /// traffic policy Local only those with a serving endpoint. None if the service has none at all.
  private func announcingNodes(_ service: Service, _ advertisements: [MetalLB.Advertisement]) -> [Node] {
    let serving = slices(of: service.id).flatMap(\.members).filter { $0.isReady || $0.isServing }
    if serving.isEmpty { return [] }
    let local = Set(serving.compactMap(\.node))
    let speaking = Set(pods.filter { $0.isSpeaker && !$0.phase.isTerminal }.compactMap(\.node))
    return nodes.filter { node in
      (speaking.isEmpty || speaking.contains(node.name)) && !node.isNetworkUnavailable
        && node.labels["node.kubernetes.io/exclude-from-external-load-balancers"] == nil
        && (service.externalTrafficPolicy == .cluster || local.contains(node.name))
        && advertisements.contains { $0.admits(node) }
    }
  }
}
