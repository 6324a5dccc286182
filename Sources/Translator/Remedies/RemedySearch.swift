public import NetpolModel
internal import Oracle
internal import PolicyDiff

/// Looks for the smallest changes that turn a flow's verdict, by the specification alone.
public struct RemedySearch: Sendable {
  private let cluster: Cluster
  private let flow: Flow
  /// The part of the cluster that decides about the flow.
  private let deciding: Cluster
  private let selectors: PodSelectors
  /// How many changes are compared in full.
  private let mostPriced: Int

  /// Two ends of a flow can need a change each, and so can each pod that sends it on.
  private static let mostEdits = 6
  /// How many changes of one end are tried together with each of another.
  private static let width = 6
  /// Pods up to which everything is compared with everything.
  private static let small = 300

  /// `mostPriced`: of more changes that would do, the last are left out before they are compared.
  public init(_ cluster: Cluster, _ flow: Flow, mostPriced: Int = .max) {
    self.cluster = cluster
    self.flow = flow
    self.mostPriced = mostPriced
    selectors = PodSelectors(cluster)
    deciding = cluster.deciding(flow, Oracle(cluster).explain(flow), keepsPods: cluster.pods.count <= Self.small)
  }

  // MARK: - A refused flow

  /// Whether policies alone refuse the flow: without any it would pass.
  public var isUpToPolicies: Bool {
    var free = deciding
    free.policies = []
    let oracle = Oracle(deciding)
    return oracle.judge(flow).verdict == .deny && Oracle(free).judge(flow).verdict == .allow
  }

  /// What lets the flow through, cheapest first: all that takes no more unit edits than necessary. If all of that closes
  /// other flows, also what takes more edits and doesn't. Empty if no change of policies and labels does.
  public func allowing() -> [Remedy] {
    let least = priced(fewest(solutions(deciding, edits: [], depth: Self.mostEdits)), turnsTo: .allow)
    if least.isEmpty || least.contains(where: \.cost.isHarmless) { return least }
    let found = solutions(deciding, edits: [], depth: Self.mostEdits, takesOneAlone: false)
    let more = priced(fewest(found.filter { $0.count > 1 }), turnsTo: .allow).filter(\.cost.isHarmless)
    return more + least
  }

  /// Those with the least number of edits, each once.
  private func fewest(_ found: [[UnitEdit]]) -> [[UnitEdit]] {
    guard let least = found.map(\.count).min() else { return [] }
    var seen: Set<Set<UnitEdit>> = []
    return found.filter { $0.count == least && seen.insert(Set($0)).inserted }
  }

  /// Sets of edits after which the flow is allowed, each with as few as this search finds.
  ///
  /// `takesOneAlone`: whether one edit is enough if it does all. Otherwise each end gets its own.
  private func solutions(
    _ cluster: Cluster, edits: [UnitEdit], depth: Int, takesOneAlone: Bool = true
  ) -> [[UnitEdit]] {
    let oracle = Oracle(cluster)
    if oracle.judge(flow).verdict == .allow { return [edits] }
    if depth == 0 { return [] }
    let parts = oracle.explain(flow)
    let refusing = parts.last?.sides.filter { $0.verdict == .deny } ?? []
    if refusing.isEmpty { return [] }
    let (bySide, shared) = candidates(cluster, oracle, parts, refusing)
    let singles = (bySide.flatMap(\.self) + shared).filter { allows(cluster, $0) }
    if !singles.isEmpty, takesOneAlone || refusing.count == 1 {
      // Of those that complete others the narrowest are enough.
      let chosen = edits.isEmpty ? singles : narrowest(singles, cluster, refusing[0])
      return chosen.map { edits + [$0] }
    }
    guard depth > 1, let side = refusing.first, let own = bySide.first else { return [] }
    // One change for the end that refuses first, and others for the rest.
    let helpful = (own + shared).filter { admits(cluster, $0, side) }
    let narrow = narrowest(helpful, cluster, side)
    var found: [[UnitEdit]] = []
    for edit in narrow {
      let left = min(depth - 1, found.least - edits.count - 1)
      found += solutions(cluster.applying([edit]), edits: edits + [edit], depth: left)
    }
    return found
  }

  /// By refusing side, and those that may help several.
  private func candidates(
    _ cluster: Cluster, _ oracle: Oracle, _ parts: [PartExplanation], _ refusing: [SideExplanation]
  ) -> (bySide: [[UnitEdit]], shared: [UnitEdit]) {
    let allowing = AllowingEdits(cluster, oracle, selectors)
    var shared = LabelEdits(cluster).edits(
      for: parts.flatMap { [$0.sent.source, $0.sent.destination, $0.arrived.source, $0.arrived.destination] })
    if refusing.count == 2 { shared += allowing.joint(refusing[0], refusing[1]) }
    return (refusing.map(allowing.edits), shared)
  }

  private func allows(_ cluster: Cluster, _ edit: UnitEdit) -> Bool {
    Oracle(cluster.applying([edit])).judge(flow).verdict == .allow
  }

  private func admits(_ cluster: Cluster, _ edit: UnitEdit, _ side: SideExplanation) -> Bool {
    Oracle(cluster.applying([edit])).judge(side.flow, side.direction).verdict == .allow
  }

  /// Those that let fewest other flows past one end, whatever the other end says.
  private func narrowest(_ edits: [UnitEdit], _ cluster: Cluster, _ side: SideExplanation) -> [UnitEdit] {
    if edits.count <= Self.width || cluster.pods.count > Self.small { return Array(edits.preferred.prefix(Self.width)) }
    let alone = cluster.isolating(side.direction)
    let prices = edits.map { edit -> Int in
      let after = cluster.applying([edit]).isolating(side.direction)
      guard let clusters = ComparedClusters(old: alone, new: after) else { return .max }
      return Cost(edits: 1, PolicyDifference(clusters), besides: []).opened
    }
    return zip(edits, prices).enumerated().sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }
      .prefix(Self.width).map(\.element.0)
  }

  // MARK: - An allowed flow

  /// Removals of which each alone stops the flow. Those that close fewest other flows come first.
  public func closing() -> [Remedy] {
    let parts = Oracle(deciding).explain(flow)
    var edits: [UnitEdit] = []
    for side in parts.flatMap(\.sides) where side.standing == .isolated {
      let isolating = side.policies.filter { $0.standing == .inForce }
      for policy in isolating {
        for rule in policy.rules where rule.admits {
          let place = UnitEdit.RulePlace(policy.policy.id, side.direction, rule.index)
          if rule.peers.count > 1 { edits += rule.peers.filter(\.admits).map { .removePeer($0.index, place) } }
          if rule.ports.count > 1 { edits += rule.ports.filter(\.admits).map { .removePort($0.index, place) } }
          edits.append(.removeRule(place))
        }
        if isolating.count > 1, policy.admits { edits.append(.removePolicy(policy.policy.id)) }
      }
    }
    var seen: Set<UnitEdit> = []
    let closing = edits.filter { edit in
      seen.insert(edit).inserted && Oracle(deciding.applying([edit])).judge(flow).verdict == .deny
    }
    return priced(closing.map { [$0] }, turnsTo: .deny)
  }

  // MARK: - Prices

  private func priced(_ sets: [[UnitEdit]], turnsTo verdict: Verdict) -> [Remedy] {
    let chosen = sets.count <= mostPriced ? sets : Array(sets.sorted { rank($0) < rank($1) }.prefix(mostPriced))
    // What the deciding part leaves out counts here.
    let remedies = chosen.compactMap { edits -> Remedy? in
      let changed = cluster.applying(edits)
      guard Oracle(changed).judge(flow).verdict == verdict else { return nil }
      return Remedy(edits, from: cluster, to: changed, flow, turnsTo: verdict)
    }
    let order = { (remedy: Remedy) in
      verdict == .allow
        ? (remedy.cost.isHarmless ? 0 : 1, remedy.cost.opened, remedy.cost.closed, rank(remedy.edits))
        : (0, remedy.cost.closed, remedy.cost.opened, rank(remedy.edits))
    }
    return remedies.enumerated().sorted { first, second in
      let (one, other) = (order(first.element), order(second.element))
      return one == other ? first.offset < second.offset : one < other
    }.map(\.element)
  }
}

extension RemedySearch {
  /// Which of several equally cheap sets is told first: a change of what is written already comes before something new, and
  /// that before a removal. A policy without rules is there to refuse everything, so it rather stays as it is.
  private func rank(_ edits: [UnitEdit]) -> Int {
    edits.reduce(0) { sum, edit in
      switch edit {
      case .addPort: sum
      case .addPeer: sum + 1
      case .addRule(_, let direction, let id):
        sum + (cluster.policies.contains { $0.id == id && $0.rules(direction).isEmpty } ? 4 : 2)
      case .addPolicy: sum + 3
      case .label: sum + 5
      case .addType: sum + 6
      case .removePeer, .removePort: sum + 7
      case .removeRule: sum + 8
      case .removeType: sum + 9
      case .removePolicy: sum + 10
      }
    }
  }
}

extension [[UnitEdit]] {
  /// The number of edits of the shortest, or a great number.
  fileprivate var least: Int { map(\.count).min() ?? 100 }
}

extension [UnitEdit] {
  fileprivate var preferred: [UnitEdit] {
    enumerated().sorted { ($0.element.narrowness, $0.offset) < ($1.element.narrowness, $1.offset) }.map(\.element)
  }
}

extension UnitEdit {
  /// How little it probably lets through.
  fileprivate var narrowness: Int {
    switch self {
    case .addPolicy: 0
    case .addRule: 1
    case .addPort: 2
    case .addPeer: 3
    case .label: 4
    case .removePeer, .removePort, .removeRule, .addType: 5
    case .removeType, .removePolicy: 6
    }
  }
}

extension Cluster {
  /// The same with policies that isolate in one direction alone.
  fileprivate func isolating(_ direction: Direction) -> Cluster {
    var part = self
    part.policies = policies.filter { $0.isolates.contains(direction) }
    for index in part.policies.indices { part.policies[index].isolates = [direction] }
    return part
  }

  /// The part that decides about a flow: what it can reach, and the policies of the namespaces of its ends. `keepsPods`:
  /// with all pods, which matter to nothing but prices.
  fileprivate func deciding(_ flow: Flow, _ parts: [PartExplanation], keepsPods: Bool) -> Cluster {
    var part = reached(from: [flow.sourceAddress, flow.destinationAddress], narrowsPolicies: false)
    let ends =
      parts.flatMap { [$0.sent, $0.arrived] }.flatMap { [$0.source, $0.destination] } + [flow.source, flow.destination]
    let addresses = Set(
      part.endpointSlices.flatMap(\.members).map(\.address)
        + parts.flatMap { [$0.sent, $0.arrived] }.flatMap { [$0.sourceAddress, $0.destinationAddress] })
    let forwarders = part.pods.filter { !$0.forwards.isEmpty || !$0.hostPorts.isEmpty }.map(\.id)
    let named = Set(ends.compactMap { if case .pod(let id) = $0 { id } else { nil } } + forwarders)
    let near = part.pods.filter { named.contains($0.id) || $0.podIPs.contains(where: addresses.contains) }
    if !keepsPods { part.pods = near }
    let namespaces = Set(near.map(\.id.namespace))
    part.policies = policies.filter { namespaces.contains($0.id.namespace) }
    return part
  }
}
