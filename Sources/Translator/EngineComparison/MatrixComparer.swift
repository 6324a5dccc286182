public import Enforcement
internal import Evaluator
public import NetpolModel
internal import Oracle
internal import Path

/// Compares engines for all flows of one family that ask one question, all destinations of a sender at once.
public struct MatrixComparer: Sendable {
  public let enforced: EnforcedMatrix
  private let specified: OracleMatrix
  private let predicted: DeviationMatrix

  /// `borders`: port ranges that must not be joined in one interval, besides those of the rules. `others`: destinations
  /// that no machine has.
  public init(
    _ cluster: Cluster, _ comparer: Comparer, _ family: IPFamily,
    dividedBy borders: some Sequence<(transport: Transport, range: PortRange)>, alsoTo others: [IPAddress] = []
  ) {
    let matrix = EnforcedMatrix(comparer.enforced, family, dividedBy: borders, alsoTo: others)
    let topology = comparer.enforced.topology
    enforced = matrix
    specified = OracleMatrix(
      comparer.oracle,
      ends: matrix.space.addresses.map { Flow.End(topology.owner(of: $0) ?? .address($0), $0) })
    predicted = DeviationMatrix(comparer.reading, specified)
  }

  /// What the engines say about the flows of one sender, by number of the destination.
  public struct Row: Hashable, Sendable {
    /// The verdict of the rules, where they give one.
    public var allowed: Bits
    /// Where the rules differ from the specification as the style's deviations predict.
    public var deviating: Bits
    /// Where they differ, and no deviation predicts it.
    public var unexplained: Bits
    /// Where a deviation predicts a difference, and there is none.
    public var missing: Bits
    /// Where flows must be judged one by one.
    public var open: Bits
  }

  /// Whether policies alone decide about flows that ask a question at a destination.
  public func isPlain(_ question: Flow.Question, at destination: Int) -> Bool {
    specified.isPlain(question, at: destination)
  }

  /// The ends that are pods that their nodes' enforcers don't know, by the deviations of the style.
  public var unknown: Bits { predicted.unknown }

  /// Which policies isolate an end: equal for equal lists. -1: none.
  public func isolation(of end: Int, _ direction: Direction) -> Int { specified.isolation(of: end, direction) }

  /// Which policies isolate the sender and the destination. -1: none.
  public func isolation(of sender: EnforcedMatrix.Sender, towards destination: Int) -> [Int] {
    let source = enforced.source(of: sender, towards: destination)
    return [
      source < 0 ? -1 : specified.isolation(of: source, .egress), specified.isolation(of: destination, .ingress),
    ]
  }

  public func answers(to question: Flow.Question) -> Answers { Answers(self, question) }

  public struct Answers: Sendable {
    private let matrix: MatrixComparer
    private let enforced: EnforcedMatrix.Answers
    private let specified: OracleMatrix.Answers
    private let predicted: DeviationMatrix.Answers
    /// Where more than policies decides.
    public let notPlain: Bits
    private let isCovered: Bool

    fileprivate init(_ matrix: MatrixComparer, _ question: Flow.Question) {
      self.matrix = matrix
      enforced = matrix.enforced.answers(to: matrix.enforced.space.number(of: question))
      specified = matrix.specified.answers(to: question)
      predicted = matrix.predicted.answers(to: question)
      notPlain = matrix.specified.notPlain(question)
      // The specification does not cover echo requests.
      isCovered = question != .echo
    }

    public func leaves(_ sender: EnforcedMatrix.Sender, towards destination: Int) -> Bool {
      enforced.leaves(sender, towards: destination)
    }

    public func specifiedPeers(of end: Int, _ direction: Direction) -> Bits {
      specified.peers(of: end, direction)
    }

    /// What the engines say about the sender's own side, in three bits: rules, specification, deviations.
    public func departures(of sender: EnforcedMatrix.Sender, towards destinations: [Int]) -> [UInt16] {
      var known: (source: Int, specified: Bits, predicted: Bits)?
      return destinations.map { destination in
        let source = matrix.enforced.source(of: sender, towards: destination)
        if source < 0 { return 0 }
        if known?.source != source {
          known = (source, specified.peers(of: source, .egress), predicted.departures(of: source))
        }
        guard let known else { return 0 }
        return (enforced.leaves(sender, towards: destination) ? 1 : 0)
          | (known.specified.contains(destination) ? 2 : 0) | (known.predicted.contains(destination) ? 4 : 0)
      }
    }

    /// What the engines say about the receiver's own side, in three bits: rules, specification, deviations.
    public func arrivals(of sender: EnforcedMatrix.Sender, at destination: Int) -> UInt16 {
      arrivals(from: matrix.enforced.source(of: sender, towards: destination), at: destination)
    }

    /// The same for the number of a source. -1: none.
    public func arrivals(from source: Int, at destination: Int) -> UInt16 {
      if source < 0 { return 0 }
      return (enforced.arrives(from: source, at: destination) ? 1 : 0)
        | (specified.peers(of: destination, .ingress).contains(source) ? 2 : 0)
        | (predicted.arrivals(of: source).contains(destination) ? 4 : 0)
    }

    public func row(of sender: EnforcedMatrix.Sender) -> Row {
      let rules = enforced.row(of: sender)
      let count = matrix.specified.ends.count
      var row = Row(
        allowed: rules.allowed, deviating: Bits(count: count), unexplained: Bits(count: count),
        missing: Bits(count: count), open: rules.open.union(notPlain))
      row.allowed.subtract(row.open)
      if !isCovered { return row }
      for (source, mask) in matrix.enforced.sources(of: sender) {
        let wanted = specified.destinations(of: source)
        let expected = predicted.destinations(of: source)
        let differs = rules.allowed.symmetricDifference(wanted)
        let surprises = rules.allowed.symmetricDifference(expected)
        let mask = mask.subtracting(row.open)
        row.deviating.formUnion(differs.subtracting(surprises).intersection(mask))
        row.unexplained.formUnion(differs.intersection(surprises).intersection(mask))
        row.missing.formUnion(surprises.subtracting(differs).intersection(mask))
      }
      return row
    }
  }
}
