internal import NetpolModel
internal import Statistics

/// What a generated cluster has: namespaces, workloads and their pods, with places and addresses, but no text yet.
struct ClusterPlan {
  let nodes: [PlannedNode]
  /// Sorted by name.
  let namespaces: [PlannedNamespace]
  let networks: GeneratedNetworks

  init(pods: Int, nodes count: Int, families: [IPFamily], seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let system = SystemWorkloads(budget: pods / 2, nodes: count, &random)
    let teams = TeamWorkloads(pods: pods - system.podCount, &random)
    var namespaces = (system.namespaces + teams.namespaces).sorted { $0.name < $1.name }
    var loads = NodeLoads(nodes: count)
    for index in namespaces.indices { namespaces[index].place(on: &loads, &random) }
    networks = GeneratedNetworks(families, nodes: count, pods: loads.most)
    self.namespaces = namespaces
    nodes = (0..<count).map { PlannedNode(number: $0, of: count, Identity(random.next())) }
  }
}

/// How many pods with addresses of their own each node has.
struct NodeLoads {
  private var counts: [Int]

  init(nodes: Int) { counts = Array(repeating: 0, count: nodes) }

  var most: Int { counts.max() ?? 0 }
  var nodes: Range<Int> { counts.indices }

  /// The less loaded of two nodes, as a scheduler would choose. All nodes then have nearly the same load.
  func choice(_ random: inout SplitMix64) -> Int {
    let (first, second) = (random.below(counts.count), random.below(counts.count))
    return counts[second] < counts[first] ? second : first
  }

  /// The number of the next pod on the node.
  mutating func slot(on node: Int) -> Int {
    defer { counts[node] += 1 }
    return counts[node]
  }
}

extension PlannedNamespace {
  fileprivate mutating func place(on loads: inout NodeLoads, _ random: inout SplitMix64) {
    for workload in workloads.indices {
      let kind = workloads[workload].kind
      let hostNetwork = workloads[workload].hostNetwork
      for pod in workloads[workload].pods.indices {
        let chosen = loads.choice(&random)
        if workloads[workload].pods[pod].state == .pending { continue }
        let node = kind == .daemonSet ? workloads[workload].pods[pod].ordinal : chosen
        workloads[workload].pods[pod].node = node
        if !hostNetwork { workloads[workload].pods[pod].slot = loads.slot(on: node) }
      }
    }
  }
}
