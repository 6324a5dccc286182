public import NetpolModel

/// Packets that rules have treated alike so far: every combination of its sources, destinations and questions.
public struct PacketSet: Hashable, Sendable {
  /// As the packets were sent.
  public var sources, destinations, questions: Numbers
  /// What replaced them on the way. `nil`: nothing yet.
  public var newSource, newDestination, newQuestion: Int?
  public var mark: UInt32 = 0
  public var state: ConntrackState = .new
  public var isBridged = false
  public var codePoint: UInt8 = 0
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

  public init(from sources: Numbers, to destinations: Numbers, _ questions: Numbers) {
    self.sources = sources
    self.destinations = destinations
    self.questions = questions
  }

  public var count: Int { sources.count * destinations.count * questions.count }
}
