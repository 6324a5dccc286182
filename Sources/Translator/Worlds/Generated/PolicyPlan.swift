internal import NetpolModel
internal import Statistics

/// The policies of a generated cluster. If there are few, some namespaces have what is needed most and the others have
/// none. If there are many, workloads have several of their own.
struct PolicyPlan {
  /// Sorted by namespace and name.
  let policies: [NetworkPolicy]

  init(_ count: Int, for namespaces: [PlannedNamespace], families: [IPFamily], seed: UInt64) {
    var random = SplitMix64(seed: seed ^ 0x706f_6c69)
    let owners = random.some(namespaces.count, of: namespaces.filter(\.isOfTeam))
    let sets = owners.map { NamespacePolicies($0, families, random.next()) }
    var policies = Array((sets.flatMap(\.first) + sets.flatMap(\.further)).prefix(count))
    var turn = 0
    while policies.count < count, !sets.isEmpty {
      policies.append(sets[turn % sets.count].more(turn / sets.count))
      turn += 1
    }
    self.policies = policies.sorted { $0.id < $1.id }
  }
}

/// The policies that a team writes for its namespace.
struct NamespacePolicies {
  /// Default-deny, DNS, and from the ingress controller to the database.
  private(set) var first: [NetworkPolicy] = []
  /// Of the other workloads: caches, workers, reports, metrics, partners.
  private(set) var further: [NetworkPolicy] = []
  private let namespace: PlannedNamespace
  private let families: [IPFamily]
  private let seed: UInt64
  /// Whether egress is denied by default too.
  private let deniesEgress: Bool

  init(_ namespace: PlannedNamespace, _ families: [IPFamily], _ seed: UInt64) {
    self.namespace = namespace
    self.families = families
    self.seed = seed
    deniesEgress = seed % 5 < 3
    addDefaults()
    let applications = Dictionary(grouping: namespace.workloads, by: \.application)
    let main = namespace.name
    for name in [main] + applications.keys.filter({ $0 != main }).sorted() {
      let policies = ApplicationPolicies(applications[name] ?? [], deniesEgress: deniesEgress, families)
      if name == main { first += policies.request } else { further += policies.request }
      further += policies.background
    }
    addMetrics()
  }

  private func id(_ name: String) -> PolicyID { PolicyID(namespace.name, name) }

  private mutating func addDefaults() {
    guard deniesEgress else {
      first.append(NetworkPolicy(id: id("default-deny-ingress"), isolates: [.ingress]))
      return
    }
    first.append(NetworkPolicy(id: id("default-deny"), isolates: [.ingress, .egress]))
    let ports: [NetworkPolicy.PortRule] = [
      .init(.udp, .number(53, through: nil)), .init(.tcp, .number(53, through: nil)),
    ]
    first.append(
      NetworkPolicy(
        id: id("allow-dns"), isolates: [.egress],
        egress: [
          .init(
            peers: .listed([
              .pods(in: .named(SystemWorkloads.dns), matching: .init(matchLabels: ["k8s-app": "kube-dns"]))
            ]),
            ports: .listed(ports))
        ]))
  }

  private mutating func addMetrics() {
    let prometheus = NetworkPolicy.Peer.pods(
      in: .named(SystemWorkloads.monitoring), matching: .init(matchLabels: [PlannedWorkload.nameKey: "prometheus"]))
    further.append(
      NetworkPolicy(
        id: id("allow-metrics"), isolates: [.ingress],
        ingress: [.init(peers: .listed([prometheus]), ports: .listed([.init(.tcp, .name("metrics"))]))]))
    if seed % 4 == 0 {
      further.append(
        NetworkPolicy(
          id: id("allow-same-namespace"), isolates: [.ingress],
          ingress: [.init(peers: .listed([.pods(in: .own, matching: .everything)]))]))
    }
  }

  /// One more for a workload. Different turns have different names.
  func more(_ turn: Int) -> NetworkPolicy {
    let workload = namespace.workloads[turn % namespace.workloads.count]
    var random = SplitMix64(seed: seed ^ UInt64(turn))
    let kinds: [ExtraPolicy] = workload.ports.isEmpty ? [.internet, .partner] : ExtraPolicy.allCases
    let kind = kinds[turn / namespace.workloads.count % kinds.count]
    return kind.policy(for: workload, turn, families, &random)
  }
}
