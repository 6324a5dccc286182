public import NetpolModel

/// Packets that rules have treated alike so far: every combination of its sources, destinations and questions.
public struct PacketSet: Hashable, Sendable {
  /// As the packets were sent.
  public var sources, destinations, questions: Numbers
  /// What replaced them on the way. `nil`: nothing yet.
  public var newSource, newDestination, newQuestion: Int?
  public var mark: UInt32 = 0
  public var states: ConntrackStates = [.new]
  public var isBridged = false
  /// One bit for each code point, 0 to 63.
  public var codePoints: UInt64 = 1
  /// As `Packet.hasNewDestination`.
  public var hasNewDestination = false
  /// The outgoing interface's address will replace the source.
  public var isMasqueraded = false
  /// What happened to it is not expressed here: each of its packets must be followed by itself.
  public var needsWalk = false
  /// The same for packets that met the same rules outside pods' chains.
  public var trace: UInt64 = 0
  /// For each pod's chain that they met: the same for packets that met the same rules in it, apart from which pod's it
  /// is.
  public var podTraces: [UInt64] = []
  /// The trace before the current pod's chain. `nil`: outside.
  var traceOutside: UInt64?
  /// Whether rules of this hook have decided about its translation.
  var isTranslated = false

  public init(
    from sources: Numbers, to destinations: Numbers, _ questions: Numbers, _ states: ConntrackStates = [.new]
  ) {
    self.sources = sources
    self.destinations = destinations
    self.questions = questions
    self.states = states
  }

  /// The destination and the question after what has happened to the packets.
  public var destinationsNow: Numbers { newDestination.map { .one($0) } ?? destinations }
  public var questionsNow: Numbers { newQuestion.map { .one($0) } ?? questions }
}

extension [PacketSet] {
  /// The same packets in fewer sets: those that differ only in their destinations are joined, then those that differ
  /// only in their questions. A service's rules leave a set of its own for each of its addresses. What rules they met is
  /// forgotten.
  func joined(in space: PacketSpace) -> [PacketSet] {
    joined(\.destinations, space.addresses.count).joined(\.questions, space.questionCount)
  }

  private func joined(_ axis: WritableKeyPath<PacketSet, Numbers>, _ count: Int) -> [PacketSet] {
    if self.count < 2 { return self }
    var places: [PacketSet: Int] = [:]
    var sets: [PacketSet] = []
    for set in self {
      var key = set
      key.trace = 0
      key.podTraces = []
      key.traceOutside = key.traceOutside.map { _ in 0 }
      key[keyPath: axis] = .one(0)
      if let place = places[key] {
        sets[place][keyPath: axis].formUnion(set[keyPath: axis], count: count)
      } else {
        places[key] = sets.count
        sets.append(set)
      }
    }
    return sets
  }
}

/// A set of connection states.
public struct ConntrackStates: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public init(_ states: some Sequence<ConntrackState>) {
    self.init(states.map { ConntrackStates($0) })
  }
  public init(_ state: ConntrackState) {
    self =
      switch state {
      case .new: .new
      case .established: .established
      case .related: .related
      case .invalid: .invalid
      case .untracked: .untracked
      }
  }

  public static let new = ConntrackStates(rawValue: 1)
  public static let established = ConntrackStates(rawValue: 2)
  public static let related = ConntrackStates(rawValue: 4)
  public static let invalid = ConntrackStates(rawValue: 8)
  public static let untracked = ConntrackStates(rawValue: 16)

  public var all: [ConntrackState] { ConntrackState.allCases.filter { contains(ConntrackStates($0)) } }
}
