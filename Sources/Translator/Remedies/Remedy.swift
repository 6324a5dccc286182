public import NetpolModel
internal import Oracle
public import PolicyDiff

/// Changes that together turn a flow's verdict, and what else they change.
public struct Remedy: Sendable {
  public let edits: [UnitEdit]
  /// The cluster with the changes.
  public let cluster: Cluster
  public let cost: Cost
  /// Every flow that is judged differently, the one asked about among them.
  public let difference: PolicyDifference
  /// The flow asked about, as the policies of its ends see it: one for each part of its way and each end.
  private let asked: [AskedCell]

  /// `nil` if there is nothing to compare.
  init?(_ edits: [UnitEdit], of cluster: Cluster, _ flow: Flow, turnsTo verdict: Verdict) {
    let changed = cluster.applying(edits)
    self.init(edits, from: cluster, to: changed, flow, turnsTo: verdict)
  }

  /// `changed`: the cluster with the changes, and whatever follows from them.
  init?(_ edits: [UnitEdit], from cluster: Cluster, to changed: Cluster, _ flow: Flow, turnsTo verdict: Verdict) {
    guard let clusters = ComparedClusters(old: cluster, new: changed) else { return nil }
    self.edits = edits
    self.cluster = changed
    difference = PolicyDifference(clusters)
    let parts = Oracle(verdict == .allow ? changed : cluster).explain(flow)
    let space = difference.space
    var cells: [AskedCell] = []
    for seen in parts.flatMap({ [$0.sent, $0.arrived] }) {
      guard let source = space.end(at: seen.sourceAddress), let destination = space.end(at: seen.destinationAddress),
        let question = space.number(of: seen.question)
      else { continue }
      let cell = AskedCell(source: source, destination: destination, question: question)
      if !cells.contains(cell) { cells.append(cell) }
    }
    asked = cells
    cost = Cost(edits: edits.count, difference, besides: cells)
  }

  /// The rows of other flows. A row may have the one asked about among others.
  public var otherRows: [DifferenceRow] {
    let space = difference.space
    let isOne = { (end: Int) in space.ends[end].outside.map { $0.isSingle } ?? true }
    return difference.rows.filter { row in
      let holds = asked.contains { row.contains($0.source, $0.destination, $0.question, in: space) }
      guard holds, row.senders.count == 1, row.destinations.count == 1, row.questions.count == 1,
        let source = row.senders.first, let destination = row.destinations.first, let question = row.questions.first
      else { return true }
      let isOnePort = space.ports(question).map { $0.range.first == $0.range.last } ?? true
      return !(isOne(source) && isOne(destination) && isOnePort)
    }
  }
}

extension AddressRanges {
  fileprivate var isSingle: Bool { ranges.count == 1 && ranges.allSatisfy { $0.lowerBound == $0.upperBound } }
}

extension DiffSpace {
  /// The number of the end that has an address.
  fileprivate func end(at address: IPAddress) -> Int? {
    ends.firstIndex { $0.outside == nil && ($0.old == address || $0.new == address) }
      ?? ends.firstIndex { $0.outside?.contains(address) == true }
  }
}
