internal import Enforcement
internal import Evaluator
internal import NetpolModel

/// What comparing the packets of one end has found, for each port of a question. Rows of many questions are the same.
struct ComparedRow {
  /// Which packets they are.
  struct Place: Hashable {
    let end: Int
    let isDeparture: Bool
    /// Which of the node's redirected packets they are, if a service has sent them elsewhere.
    let redirected: Int?
    /// The numbers of the node's classes that they are in.
    let classes: [Int32]

    var isRedirected: Bool { redirected != nil }

    var isDepartureOrArrival: ProofPacket.Place { isDeparture ? .departure : .arrival }
  }

  /// What they were compared with.
  struct Basis: Equatable {
    /// The other ends that count.
    let domain: Bits
    let specified, predicted: Bits
    /// Other ends with which something else decides. `nil`: all.
    let undecided: Bits?
    /// Whether these are ICMP packets that pass whatever policies say.
    let isPassing: Bool
  }

  /// A reason that the deviations gave for one other end. For another question they may give another.
  struct Explained {
    let other: Int
    let isLocal: Bool
    let reasons: [ProofReason]
  }

  let basis: Basis
  var packets = 0.0
  var differing: [[ProofReason]: Double] = [:]
  var gaps: [Proof.Gap: Double] = [:]
  var explained: [Explained] = []
  /// Whether some packet is a counterexample, which must be told for every question.
  var hasSurprise = false
}

/// What becomes of the packets of one end, by number of the other end.
struct PacketRow {
  /// By state: those that pass, and those of which the rules change no destination.
  private var passed: [Bits?] = [nil, nil, nil, nil]
  private var known: [Bits?] = [nil, nil, nil, nil]
  private(set) var open: Bits
  private let count: Int

  /// `count`: of all ends.
  init(count: Int) {
    self.count = count
    open = Bits(count: count)
  }

  mutating func add(_ end: PacketClass.End, _ states: ConntrackStates, _ peers: Numbers) {
    if end == .open {
      open.formUnion(peers)
      return
    }
    for (index, one) in Self.states.enumerated() where !states.isDisjoint(with: one) {
      var bits = known[index] ?? Bits(count: count)
      known[index] = nil
      bits.formUnion(peers)
      known[index] = bits
      if end == .stopped { continue }
      bits = passed[index] ?? Bits(count: count)
      passed[index] = nil
      bits.formUnion(peers)
      passed[index] = bits
    }
  }

  /// Leaves out all ends but these.
  mutating func restrict(to ends: Bits) {
    open.formIntersection(ends)
    for index in Self.states.indices {
      passed[index]?.formIntersection(ends)
      known[index]?.formIntersection(ends)
    }
  }

  func known(_ state: ConntrackState) -> Bits { known[Self.index(state)] ?? Bits(count: count) }
  func passed(_ state: ConntrackState) -> Bits { passed[Self.index(state)] ?? Bits(count: count) }

  /// A rule may have taken a new packet out of connection tracking.
  private static let states: [ConntrackStates] = [[.new, .untracked], .established, .related, .invalid]
  private static func index(_ state: ConntrackState) -> Int {
    switch state {
    case .new, .untracked: 0
    case .established: 1
    case .related: 2
    case .invalid: 3
    }
  }
}
