public import NetpolModel
internal import Oracle

/// Every flow that two policy sets judge differently, by the specification alone: for all pods and nodes, all other
/// addresses, and all ports. Nothing is sampled.
///
/// Policies act on a packet that has reached its endpoint's address, so Services have no part in it.
public struct PolicyDifference: Sendable {
  public let clusters: ComparedClusters
  public let space: DiffSpace
  public let rows: [DifferenceRow]
  public let prices: [BlockPrice]
  /// The ends whose own policies judge flows differently that the other end's policies deny on both sides.
  public let oneSided: [Direction: Bits]
  private let oracles: (old: Oracle, new: Oracle)

  public init(_ clusters: ComparedClusters) {
    self.clusters = clusters
    let space = DiffSpace(clusters)
    self.space = space
    let matrices = concurrentMap(2) { number in
      let side = ComparedClusters.Side.allCases[number]
      return OracleMatrix(
        Oracle(clusters[side]), ends: space.ends.map { Flow.End($0.endpoint, $0.address(side)) })
    }
    let (old, new) = (matrices[0], matrices[1])
    oracles = (Oracle(clusters.old), Oracle(clusters.new))
    let differences = concurrentMap(space.questions.count) { number in
      QuestionDifference(space.questions[number], space, old: old, new: new)
    }
    rows = DifferenceRows(space, differences).all
    var oneSided: [Direction: Bits] = [:]
    for difference in differences { oneSided.merge(difference.oneSided) { $0.union($1) } }
    self.oneSided = oneSided
    prices = BlockPrices(clusters, space).all(old: old, new: new, ends: new.ends)
  }

  public var opened: [DifferenceRow] { rows.filter(\.isOpened) }
  public var closed: [DifferenceRow] { rows.filter { !$0.isOpened } }

  /// Whether the new policies open (`true`) or close (`false`) a flow. `nil`: both sides judge it alike.
  public func change(_ source: Int, _ destination: Int, _ question: Int) -> Bool? {
    rows.first { $0.contains(source, destination, question, in: space) }?.isOpened
  }

  /// A flow between two ends, as one side sees it.
  public func flow(
    _ source: Int, _ destination: Int, _ question: Flow.Question, _ side: ComparedClusters.Side
  ) -> Flow {
    let (from, to) = (space.ends[source], space.ends[destination])
    return Flow(from: from.endpoint, from.address(side), to: to.endpoint, to.address(side), question)
  }

  /// The first flow of a row.
  public func example(of row: DifferenceRow) -> (source: Int, destination: Int, question: Int)? {
    guard let question = row.questions.first else { return nil }
    for source in row.senders.numbers {
      for destination in row.destinations.numbers where !space.isUndisputed(source, destination) {
        return (source, destination, question)
      }
    }
    return nil
  }

  /// Why a side's policies of one direction allow or deny a flow.
  public func judge(_ flow: Flow, _ direction: Direction, _ side: ComparedClusters.Side) -> Judgement {
    (side == .old ? oracles.old : oracles.new).judge(flow, direction)
  }
}
