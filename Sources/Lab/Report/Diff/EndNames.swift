internal import NetpolModel
internal import OrderedCollections
internal import PolicyDiff

/// Names for sets of ends: a workload if all its pods are in the set, `namespace/*` if all its workloads are.
struct EndNames {
  private let space: DiffSpace
  private let hosts: [ExternalHost]
  /// Pods with their workload, by namespace: the numbers of the ends of each pod.
  private let workloads: [String: OrderedDictionary<String, OrderedDictionary<PodID, [Int]>>]
  private let nodes: OrderedDictionary<String, [Int]>
  /// The nodes' ends with an address of the Node object.
  private let stated: Bits
  private let lone: [PodID: ComparedClusters.Side]

  init(_ difference: PolicyDifference) {
    space = difference.space
    hosts = difference.clusters.new.externalHosts
    let clusters = difference.clusters
    // The new side's owner counts, unless only the old side has the pod.
    let owners = Dictionary((clusters.new.pods + clusters.old.pods).map { ($0.id, $0.owner) }) { first, _ in first }
    var workloads: [String: OrderedDictionary<String, OrderedDictionary<PodID, [Int]>>] = [:]
    var nodes: OrderedDictionary<String, [Int]> = [:]
    for (number, end) in space.ends.enumerated() {
      switch end.endpoint {
      case .pod(let id):
        let name = (owners[id] ?? nil).map { "\(id.namespace)/\($0.kind)/\($0.name)" } ?? id.description
        workloads[id.namespace, default: [:]][name, default: [:]][id, default: []].append(number)
      case .node(let name): nodes[name, default: []].append(number)
      case .external, .service, .virtualAddress, .address: break
      }
    }
    self.workloads = workloads
    self.nodes = nodes
    let addresses = Set((clusters.old.nodes + clusters.new.nodes).flatMap(\.addresses))
    let space = space
    stated = Bits(space.nodes.numbers.filter { addresses.contains(space.ends[$0].new) }, count: space.ends.count)
    lone = Dictionary(clusters.lonePods.flatMap { side, pods in pods.map { ($0, side) } }) { first, _ in first }
  }

  /// `shop/web -> shop/db: TCP/5432`
  func text(of row: DifferenceRow) -> String {
    let senders = text(row.senders, alike: row.alike.senders).joined(separator: ", ")
    let destinations = text(row.destinations, alike: row.alike.destinations).joined(separator: ", ")
    return "\(senders) -> \(destinations): \(space.portsText(row.questions))"
  }

  /// `alike`: ends that may be named too, because they are like the others.
  func text(_ ends: Bits, alike: Bits) -> [String] {
    let named = ends.union(alike)
    if Bits(allBelow: space.ends.count).subtracting(named).isEmpty { return ["anywhere"] }
    return podsText(ends, named) + nodesText(ends, named) + outsideText(ends, named)
  }

  // MARK: - Pods

  private func podsText(_ ends: Bits, _ named: Bits) -> [String] {
    let own = ends.intersection(space.pods)
    if own.isEmpty { return [] }
    if isWhole(own, space.pods, named) { return ["all pods"] }
    // A pod with two addresses of which only one is meant is told apart.
    let families = IPFamily.allCases.sorted()
    if !dividesPods(own, named) { return pieces(own, named, space.pods) }
    return families.flatMap { family -> [String] in
      let ofFamily = numbers(space.pods) { $0.family == family }
      let some = own.intersection(ofFamily)
      if some.isEmpty { return [] }
      let texts = isWhole(some, ofFamily, named) ? ["all pods"] : pieces(some, named, ofFamily)
      return texts.map { "\($0) (\(family.rawValue))" }
    }
  }

  /// Whether the set has one address of a pod and not the other.
  private func dividesPods(_ own: Bits, _ named: Bits) -> Bool {
    workloads.values.contains { byName in
      byName.values.contains { pods in
        pods.values.contains { ends in
          ends.contains(where: own.contains) && !ends.allSatisfy(named.contains)
        }
      }
    }
  }

  /// `universe`: the pods' ends that count.
  private func pieces(_ own: Bits, _ named: Bits, _ universe: Bits) -> [String] {
    let direct = directPieces(own, named, universe)
    if direct.count < 4 { return direct }
    let others = universe.subtracting(named)
    let rest = directPieces(others, others, universe)
    if rest.count * 2 > direct.count { return direct }
    return ["all pods except \(rest.count == 1 ? rest[0] : "(\(rest.joined(separator: ", ")))")"]
  }

  private func directPieces(_ own: Bits, _ named: Bits, _ universe: Bits) -> [String] {
    workloads.keys.sorted().flatMap { namespace -> [String] in
      let byName = workloads[namespace] ?? [:]
      let ends = Bits(byName.values.flatMap { $0.values.joined() }, count: space.ends.count).intersection(universe)
      let some = own.intersection(ends)
      if some.isEmpty { return [] }
      if byName.count > 1, isWhole(some, ends, named) { return ["\(namespace)/*"] }
      return byName.compactMap { name, pods in workloadText(name, pods, own, named, universe) }
    }
  }

  /// `nil` if the set has none of its pods.
  private func workloadText(
    _ name: String, _ pods: OrderedDictionary<PodID, [Int]>, _ own: Bits, _ named: Bits, _ universe: Bits
  ) -> String? {
    let counted = pods.filter { $0.value.contains(where: universe.contains) }
    let ownPods = counted.filter { $0.value.contains(where: own.contains) }.keys
    if ownPods.isEmpty { return nil }
    let namedPods = counted.filter { $0.value.contains { named.contains($0) && universe.contains($0) } }.keys
    let isPod = pods.count == 1 && pods.keys.first?.description == name
    let whole = isPod ? name : "\(name) x\(counted.count)"
    if namedPods.count == counted.count { return marked(whole, Array(ownPods)) }
    return marked("\(ownPods.count) of \(whole) (\(ownPods.map(\.name).abridged(to: 3)))", Array(ownPods))
  }

  /// Says so if only one side has these pods.
  private func marked(_ text: String, _ pods: [PodID]) -> String {
    let sides = Set(pods.map { lone[$0] })
    guard sides.count == 1, let side = sides.first ?? nil else { return text }
    return "\(text) (only in \(side.rawValue))"
  }

  // MARK: - Nodes

  private func nodesText(_ ends: Bits, _ named: Bits) -> [String] {
    let own = ends.intersection(space.nodes)
    if own.isEmpty { return [] }
    if nodes.count > 1, isWhole(own, space.nodes, named) { return ["all nodes"] }
    // A node's bridge and its end of the tunnel have addresses of the pod network.
    for (part, remark) in [(stated, "their own addresses"), (space.nodes.subtracting(stated), "bridge and tunnel")]
    where nodes.count > 1 && isWhole(own.intersection(part), part, named) && own.subtracting(part).isEmpty {
      return ["all nodes (\(remark))"]
    }
    return nodes.compactMap { name, numbers in
      let some = numbers.filter(own.contains)
      if some.isEmpty { return nil }
      if numbers.allSatisfy(named.contains) { return "node/\(name)" }
      return "node/\(name) (\(some.map { space.ends[$0].new.description }.joined(separator: ", ")))"
    }
  }

  // MARK: - Other addresses

  private func outsideText(_ ends: Bits, _ named: Bits) -> [String] {
    let own = ends.intersection(space.outside)
    if own.isEmpty { return [] }
    if isWhole(own, space.outside, named) { return ["all other addresses"] }
    return ranges(own).map { ranges in
      let inside = hosts.filter { $0.addresses.contains(where: ranges.contains) }.map { "external/\($0.name)" }
      return ranges.description + (1...2 ~= inside.count ? " (\(inside.joined(separator: ", ")))" : "")
    }
  }

  /// All addresses of these ends, by family. Those that pods and nodes have in the middle of them are included.
  func ranges(_ ends: Bits) -> [AddressRanges] {
    IPFamily.allCases.sorted().compactMap { family in
      let parts = ends.numbers.compactMap { space.ends[$0].outside }.filter { $0.family == family }
      return parts.isEmpty ? nil : space.closed(AddressRanges(family, parts.flatMap(\.ranges)))
    }
  }

  private func numbers(_ some: Bits, _ isMeant: (DiffSpace.End) -> Bool) -> Bits {
    Bits(some.numbers.filter { isMeant(space.ends[$0]) }, count: space.ends.count)
  }

  /// Whether everything of `all` may be named.
  private func isWhole(_ own: Bits, _ all: Bits, _ named: Bits) -> Bool {
    !own.isEmpty && all.subtracting(named).isEmpty
  }
}
