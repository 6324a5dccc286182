internal import NetpolModel

/// Classes of endpoints that the policies can't tell apart. The addresses of a class are in the same ipBlocks. Its
/// members are pods of one namespace with equal labels and named ports, or endpoints that are not pods of the cluster.
struct EndpointClasses: Sendable {
  /// The class of each endpoint. -1 if policies alone don't decide the verdicts of its flows.
  private(set) var numbers: [Int] = []
  /// One representative endpoint per class.
  private(set) var representatives: [Flow.End] = []

  private struct Key: Hashable {
    let namespace: String?
    let labels: Labels
    let ports: Set<ContainerPort>
    /// Indexes of the blocks that contain the address.
    let blocks: [Int]
  }

  init(
    _ oracle: Oracle, _ endpoints: [Endpoint], _ addresses: [IPAddress?], _ policies: some Sequence<NetworkPolicy>
  ) {
    let rules = policies.flatMap { $0.ingress + $0.egress }
    let blocks = Set(
      rules.flatMap(\.peers.list).compactMap { peer in if case .block(let block) = peer { block } else { nil } })
    let numbered = Array(blocks)
    let serviceAddresses = oracle.fronts.addresses
    var known: [Key: Int] = [:]
    for (endpoint, address) in zip(endpoints, addresses) {
      guard let address, !address.isMulticast, !serviceAddresses.contains(address), oracle.nodeOwning(address) == nil,
        oracle.isJudgedByPolicies(endpoint)
      else {
        numbers.append(-1)
        continue
      }
      let pod = oracle.selectablePod(endpoint)
      let key = Key(
        namespace: pod?.id.namespace, labels: pod?.labels ?? [:],
        ports: Set(pod?.ports.filter { $0.name != nil } ?? []),
        blocks: numbered.indices.filter { numbered[$0].contains(address) })
      let number = known[key] ?? representatives.count
      if number == representatives.count {
        known[key] = number
        representatives.append(Flow.End(endpoint, address))
      }
      numbers.append(number)
    }
  }
}

extension Oracle {
  /// Whether policies alone decide what an endpoint may send and receive. Nodes and services follow rules of their own.
  fileprivate func isJudgedByPolicies(_ endpoint: Endpoint) -> Bool {
    switch endpoint {
    case .pod: selectablePod(endpoint)?.forwards.isEmpty == true
    case .external: true
    case .node, .service, .virtualAddress, .address: false
    }
  }
}
